// DDIM (Song, Meng and Ermon 2021, arXiv 2010.02502), as diffusers' DDIMScheduler without clipping. Notation: a = ābar_t, a' = ābar of the
// step's end.
import {
  planFrom,
  weigh,
  type Linear,
  type SamplerOptions,
  type SamplingPlan,
  type SamplingStep,
} from '../plan';
import { alphaBarAt, noisedAt, predictEpsilon, predictX0 } from '../prediction';
import type { NoiseSchedule, PredictionType } from '../schedule';
import { skippedSteps, wholeTimesteps } from '../timesteps';

/** Plans DDIM; `eta` from 0 (the default, deterministic) to 1. */
export function planDdim(schedule: NoiseSchedule, stepCount: number, options: SamplerOptions): SamplingPlan {
  const timesteps = wholeTimesteps(schedule, stepCount, schedule.timestepSpacing ?? 'leading');
  const stride = Math.floor(schedule.trainStepCount / stepCount);
  const steps = timesteps.slice(skippedSteps(stepCount, options.strength)).map((t) => {
    const next = t - stride >= 0 ? schedule.alphasCumprod[t - stride]! : schedule.finalAlphaCumprod;
    return ddimStep(schedule, t, next, options.eta ?? 0);
  });
  return planFrom(steps, options, 1);
}

/** The step from t to the level `next` (ābar), with `eta` of the noise that DDPM adds. */
export function ddimStep(schedule: NoiseSchedule, t: number, next: number, eta: number): SamplingStep {
  const a = alphaBarAt(schedule, t);
  const variance = ((1 - next) / (1 - a)) * (1 - a / next); // eq. 16
  const sigma = eta * Math.sqrt(variance);
  return {
    timestep: t,
    inputScale: 1,
    ...ddimMean(schedule.predictionType, a, next, sigma),
    noise: sigma,
    denoised: predictX0(schedule.predictionType, a),
    noised: noisedAt(a),
  };
}

/** eq. 12 without its noise: sqrt(a') x0 + sqrt(1 − a' − σ²) ε. */
export function ddimMean(predictionType: PredictionType, a: number, next: number, sigma: number): Linear {
  return weigh(
    [Math.sqrt(next), predictX0(predictionType, a)],
    [Math.sqrt(Math.max(0, 1 - next - sigma * sigma)), predictEpsilon(predictionType, a)],
  );
}
