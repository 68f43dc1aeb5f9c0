// Heun's method (Karras et al. 2022, arXiv 2206.00364, algorithm 1 without churn), as diffusers' HeunDiscreteScheduler. x is in sigma units.
// Every step but the last calls the model twice: an Euler step to the next sigma, and the same step again with the mean of both slopes.
import { planFrom, type SamplerOptions, type SamplingPlan, type SamplingStep } from '../plan';
import type { NoiseSchedule } from '../schedule';
import { continuousLevels } from '../sigmas';
import { skippedSteps } from '../timesteps';
import { eulerStep, startScale } from './euler';

/**
 * Beyond this sigma x is nothing but noise, as at the end of a zero-terminal-SNR schedule (4096). That first step is too long for the mean of
 * two slopes, which would blow up; diffusers' Heun knows no such schedules.
 */
const pureNoise = 1000;

/** Plans Heun: 2 · stepCount − 1 model calls, one less where it starts from pure noise. */
export function planHeun(schedule: NoiseSchedule, stepCount: number, options: SamplerOptions): SamplingPlan {
  const { timesteps, sigmas } = continuousLevels(schedule, stepCount, options);
  const first = skippedSteps(stepCount, options.strength);
  const steps = timesteps.slice(first).flatMap((t, i) => {
    const [from, to] = [sigmas[first + i]!, sigmas[first + i + 1]!];
    const guess = eulerStep(schedule.predictionType, t, from, to);
    if (to === 0 || from > pureNoise) return [guess];
    return [
      guess,
      correct(guess, eulerStep(schedule.predictionType, timesteps[first + i + 1]!, to, to), from, to),
    ];
  });
  return planFrom(steps, options, startScale(schedule, sigmas));
}

// x + (to − from) / 2 · (slope + slope there), a slope being (x − x0) / σ; x and the first slope are the step's before.
function correct(guess: SamplingStep, there: SamplingStep, from: number, to: number): SamplingStep {
  const half = (to - from) / 2;
  return {
    ...there,
    x: (half * (1 - there.denoised.x)) / to,
    output: (half * -there.denoised.output) / to,
    history: [
      { x: 1 + (half * (1 - guess.denoised.x)) / from, output: (half * -guess.denoised.output) / from },
    ],
  };
}
