// DDIM (Song, Meng and Ermon 2021, arXiv 2010.02502), as diffusers' DDIMScheduler without clipping. Notation: a = ābar_t, b = 1 − a.
import { unreachable } from '../../base/assert';
import { AppError } from '../../base/errors';
import type { SamplerOptions, SamplingPlan, SamplingStep } from '../plan';
import type { NoiseSchedule, PredictionType } from '../schedule';
import { wholeTimesteps } from '../timesteps';

type Linear = { readonly x: number; readonly output: number };

/** Plans DDIM; `eta` from 0 (the default, deterministic) to 1. Throws AppError('bad-settings') where a step would divide by zero. */
export function planDdim(
  schedule: NoiseSchedule,
  stepCount: number,
  { eta = 0 }: SamplerOptions,
): SamplingPlan {
  const timesteps = wholeTimesteps(schedule, stepCount, schedule.timestepSpacing ?? 'leading');
  const stride = Math.floor(schedule.trainStepCount / stepCount);
  return { initialScale: 1, steps: timesteps.map((t) => planStep(schedule, t, t - stride, eta)) };
}

function planStep(schedule: NoiseSchedule, t: number, previous: number, eta: number): SamplingStep {
  const a = schedule.alphasCumprod[t];
  if (a === undefined || (a === 0 && schedule.predictionType === 'epsilon')) {
    // leading spacing with an offset runs out of the schedule; pure noise says nothing of x0 if only the noise is predicted
    throw new AppError('bad-settings', { setting: 'steps', reason: `DDIM has no step at ${t}`, value: t });
  }
  const aPrevious = previous >= 0 ? schedule.alphasCumprod[previous]! : schedule.finalAlphaCumprod;
  const x0 = predictX0(schedule.predictionType, a);
  const epsilon = predictEpsilon(schedule.predictionType, a);
  const variance = ((1 - aPrevious) / (1 - a)) * (1 - a / aPrevious); // eq. 16
  const sigma = eta * Math.sqrt(variance);
  // eq. 12: next = sqrt(a') x0 + sqrt(1 − a' − σ²) ε + σ z
  const signal = Math.sqrt(aPrevious);
  const direction = Math.sqrt(Math.max(0, 1 - aPrevious - sigma * sigma));
  return {
    timestep: t,
    inputScale: 1,
    x: signal * x0.x + direction * epsilon.x,
    output: signal * x0.output + direction * epsilon.output,
    noise: sigma,
    denoised: x0,
  };
}

function predictX0(predictionType: PredictionType, a: number): Linear {
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

function predictEpsilon(predictionType: PredictionType, a: number): Linear {
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
