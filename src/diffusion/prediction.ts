// What the model's output says of x_0 and of the noise, for each kind of prediction, as combinations of x and output. Here x is variance
// preserving, x = sqrt(a) x_0 + sqrt(1 − a) ε with a = ābar; with v = sqrt(a) ε − sqrt(1 − a) x_0 (Salimans and Ho 2022).
import { unreachable } from '../base/assert';
import { AppError } from '../base/errors';
import type { Linear } from './plan';
import type { NoiseMix, NoiseSchedule, PredictionType } from './schedule';

/** x_0; infinite for 'epsilon' at a = 0. */
export function predictX0(predictionType: PredictionType, a: number): Linear {
  switch (predictionType) {
    case 'epsilon':
      return { x: 1 / Math.sqrt(a), output: -Math.sqrt((1 - a) / a) };
    case 'v_prediction':
      return { x: Math.sqrt(a), output: -Math.sqrt(1 - a) };
    case 'sample':
      return { x: 0, output: 1 };
    default:
      return unreachable(predictionType);
  }
}

/** ε. */
export function predictEpsilon(predictionType: PredictionType, a: number): Linear {
  switch (predictionType) {
    case 'epsilon':
      return { x: 0, output: 1 };
    case 'v_prediction':
      return { x: Math.sqrt(1 - a), output: Math.sqrt(a) };
    case 'sample':
      return { x: 1 / Math.sqrt(1 - a), output: -Math.sqrt(a / (1 - a)) };
    default:
      return unreachable(predictionType);
  }
}

/** x of the level a from a clean latent and noise. */
export function noisedAt(a: number): NoiseMix {
  return { x0: Math.sqrt(a), noise: Math.sqrt(1 - a) };
}

/**
 * ābar_t. Throws AppError('bad-settings') where the schedule ends before t (leading spacing with an offset runs out of it), and on
 * pure noise where only the noise is predicted, which says nothing of x_0.
 */
export function alphaBarAt({ alphasCumprod, predictionType }: NoiseSchedule, t: number): number {
  const a = alphasCumprod[t];
  if (a === undefined || (a === 0 && predictionType === 'epsilon')) {
    throw new AppError('bad-settings', {
      setting: 'steps',
      reason: `another count: the schedule has no usable step ${t}`,
      value: t,
    });
  }
  return a;
}
