// Trajectory consistency distillation (Zheng et al. 2024, arXiv 2402.19159, algorithm 4), as diffusers' TCDScheduler: a step goes further
// down than the next timestep, to s = (1 − γ) t', and noise brings it back up to t'. For models that were distilled for it.
import { planFrom, type SamplerOptions, type SamplingPlan, type SamplingStep, weigh } from '../plan';
import { alphaBarAt, noisedAt, predictX0 } from '../prediction';
import type { NoiseSchedule } from '../schedule';
import { skippedSteps } from '../timesteps';
import { ddimMean } from './ddim';
import { distilledTimesteps } from './lcm';

/** Plans TCD with γ = `eta`, 0 (deterministic) to 1 (as random as LCM), 0.3 where it is left out. */
export function planTcd(schedule: NoiseSchedule, stepCount: number, options: SamplerOptions): SamplingPlan {
  const timesteps = distilledTimesteps(schedule, stepCount);
  const first = skippedSteps(stepCount, options.strength);
  const steps = timesteps.slice(first).map((t, i): SamplingStep => {
    const a = alphaBarAt(schedule, t);
    const next = timesteps[first + i + 1];
    const below = next === undefined ? 0 : Math.floor((1 - (options.eta ?? 0.3)) * next);
    const low = schedule.alphasCumprod[below]!;
    const ratio = next === undefined ? 1 : schedule.alphasCumprod[next]! / low;
    return {
      timestep: t,
      inputScale: 1,
      ...weigh([Math.sqrt(ratio), ddimMean(schedule.predictionType, a, low, 0)]),
      noise: Math.sqrt(1 - ratio),
      denoised: predictX0(schedule.predictionType, a),
      noised: noisedAt(a),
    };
  });
  return planFrom(steps, options, 1);
}
