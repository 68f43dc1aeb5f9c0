// DDPM (Ho, Jain and Abbeel 2020, arXiv 2006.11239), as diffusers' DDPMScheduler with its small fixed variance. Its posterior is DDIM's
// with η = 1; it looks ahead to the next timestep of the list, and the chain ends at a clean picture whatever the config says.
import { planFrom, type SamplerOptions, type SamplingPlan } from '../plan';
import type { NoiseSchedule } from '../schedule';
import { skippedSteps, wholeTimesteps } from '../timesteps';
import { ddimStep } from './ddim';

/** Plans DDPM: fresh noise after every step but the last. */
export function planDdpm(schedule: NoiseSchedule, stepCount: number, options: SamplerOptions): SamplingPlan {
  const timesteps = wholeTimesteps(schedule, stepCount, schedule.timestepSpacing ?? 'leading');
  const first = skippedSteps(stepCount, options.strength);
  const steps = timesteps.slice(first).map((t, i) => {
    const next = timesteps[first + i + 1];
    return ddimStep(schedule, t, next === undefined ? 1 : schedule.alphasCumprod[next]!, 1);
  });
  return planFrom(steps, options, 1);
}
