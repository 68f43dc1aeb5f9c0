// Euler and Euler ancestral (Karras et al. 2022, arXiv 2206.00364, algorithm 1, and k-diffusion), as diffusers' EulerDiscreteScheduler and
// EulerAncestralDiscreteScheduler. x is in sigma units, x = x0 + σ ε, with σ = sqrt((1 − ābar) / ābar).
import { planFrom, type Linear, type SamplerOptions, type SamplingPlan, type SamplingStep } from '../plan';
import { predictX0 } from '../prediction';
import type { NoiseSchedule, PredictionType } from '../schedule';
import { continuousLevels, spacingOf } from '../sigmas';
import { skippedSteps } from '../timesteps';

/** Plans the deterministic Euler sampler. */
export function planEuler(schedule: NoiseSchedule, stepCount: number, options: SamplerOptions): SamplingPlan {
  return plan(schedule, stepCount, options, (_from, to) => ({ down: to, up: 0 }));
}

/** Plans Euler with fresh noise after each step but the last. */
export function planEulerAncestral(
  schedule: NoiseSchedule,
  stepCount: number,
  { strength }: SamplerOptions,
): SamplingPlan {
  return plan(schedule, stepCount, { strength }, (from, to) => {
    const up = Math.sqrt((to ** 2 * (from ** 2 - to ** 2)) / from ** 2);
    return { down: Math.sqrt(to ** 2 - up ** 2), up };
  });
}

// Splits the way from one sigma to the next into a deterministic part down to `down` and noise of deviation `up`.
type Split = (from: number, to: number) => { readonly down: number; readonly up: number };

function plan(
  schedule: NoiseSchedule,
  stepCount: number,
  options: SamplerOptions,
  split: Split,
): SamplingPlan {
  const { timesteps, sigmas } = continuousLevels(schedule, stepCount, options);
  const first = skippedSteps(stepCount, options.strength);
  const steps = timesteps.slice(first).map((t, i) => {
    const [from, to] = [sigmas[first + i]!, sigmas[first + i + 1]!];
    const { down, up } = split(from, to);
    return { ...eulerStep(schedule.predictionType, t, from, down), noise: up };
  });
  return planFrom(steps, options, startScale(schedule, sigmas));
}

/** The deviation of the first x: the largest sigma, and with leading spacing, which starts below pure noise, that of the whole x. */
export function startScale(schedule: NoiseSchedule, sigmas: readonly number[]): number {
  const largest = Math.max(...sigmas);
  return spacingOf(schedule) === 'leading' ? Math.sqrt(largest ** 2 + 1) : largest;
}

/** One Euler step at `timestep`: x + (x − x0) / σ · (down − σ), written so that nothing cancels: (x · down + x0 · (σ − down)) / σ. */
export function eulerStep(
  predictionType: PredictionType,
  timestep: number,
  sigma: number,
  down: number,
): SamplingStep {
  const denoised = predictX0FromSigma(predictionType, sigma);
  return {
    timestep,
    inputScale: 1 / Math.sqrt(sigma ** 2 + 1),
    x: (down + (sigma - down) * denoised.x) / sigma,
    output: ((sigma - down) * denoised.output) / sigma,
    noise: 0,
    denoised,
    noised: { x0: 1, noise: sigma },
  };
}

/** x_0 from an x in sigma units, which is the variance preserving one over sqrt(ābar). */
function predictX0FromSigma(predictionType: PredictionType, sigma: number): Linear {
  const a = 1 / (sigma ** 2 + 1);
  const { x, output } = predictX0(predictionType, a);
  return { x: x * Math.sqrt(a), output };
}
