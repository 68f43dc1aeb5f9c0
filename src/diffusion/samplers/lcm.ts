// Latent consistency models (Luo et al. 2023, arXiv 2310.04378), as diffusers' LCMScheduler: every step predicts the clean latent and
// noises it again. For models that were distilled for it, in a few steps.
import { AppError } from '../../base/errors';
import { planFrom, weigh, type SamplerOptions, type SamplingPlan, type SamplingStep } from '../plan';
import { alphaBarAt, noisedAt, predictX0 } from '../prediction';
import type { NoiseSchedule } from '../schedule';
import { skippedSteps } from '../timesteps';

/** Plans LCM: fresh noise after every step but the last. */
export function planLcm(schedule: NoiseSchedule, stepCount: number, options: SamplerOptions): SamplingPlan {
  const timesteps = distilledTimesteps(schedule, stepCount);
  const first = skippedSteps(stepCount, options.strength);
  const steps = timesteps.slice(first).map((t, i): SamplingStep => {
    const a = alphaBarAt(schedule, t);
    const next = timesteps[first + i + 1];
    const level = next === undefined ? { x0: 1, noise: 0 } : noisedAt(schedule.alphasCumprod[next]!);
    const { skip, out } = boundaryScalings(t * schedule.timestepScaling);
    const denoised = weigh([out, predictX0(schedule.predictionType, a)], [skip, { x: 1, output: 0 }]);
    return {
      timestep: t,
      inputScale: 1,
      ...weigh([level.x0, denoised]),
      noise: level.noise,
      denoised,
      noised: noisedAt(a),
    };
  });
  return planFrom(steps, options, 1);
}

/**
 * The timesteps of LCM and TCD: `stepCount` of those that the model was distilled on, evenly by their index. Throws
 * AppError('bad-settings') for more than there are.
 */
export function distilledTimesteps(
  { trainStepCount, distilledStepCount }: NoiseSchedule,
  stepCount: number,
): readonly number[] {
  if (!Number.isInteger(stepCount) || stepCount < 1 || stepCount > distilledStepCount) {
    const reason = `between 1 and ${distilledStepCount}`;
    throw new AppError('bad-settings', { setting: 'steps', reason, value: stepCount });
  }
  const skip = Math.floor(trainStepCount / distilledStepCount);
  return Array.from({ length: stepCount }, (_, i) => {
    const index = Math.floor(i * (distilledStepCount / stepCount));
    return (distilledStepCount - index) * skip - 1;
  });
}

// The boundary condition, eq. 5 with the data's deviation 0.5: at t = 0 the answer is x itself.
function boundaryScalings(time: number): { readonly skip: number; readonly out: number } {
  const variance = 0.5 ** 2;
  return { skip: variance / (time ** 2 + variance), out: time / Math.sqrt(time ** 2 + variance) };
}
