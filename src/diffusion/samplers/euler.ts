// Euler and Euler ancestral (Karras et al. 2022, arXiv 2206.00364, algorithm 1, and k-diffusion), as diffusers' EulerDiscreteScheduler and
// EulerAncestralDiscreteScheduler. x is in sigma units, x = x0 + σ ε, with σ = sqrt((1 − ābar) / ābar).
import { unreachable } from '../../base/assert';
import type { SamplingPlan, SamplingStep } from '../plan';
import type { NoiseSchedule, PredictionType } from '../schedule';
import { spacedTimesteps } from '../timesteps';

/** Plans the deterministic Euler sampler. */
export function planEuler(schedule: NoiseSchedule, stepCount: number): SamplingPlan {
  return plan(schedule, stepCount, (_from, to) => ({ down: to, up: 0 }));
}

/** Plans Euler with fresh noise after each step but the last. */
export function planEulerAncestral(schedule: NoiseSchedule, stepCount: number): SamplingPlan {
  return plan(schedule, stepCount, (from, to) => {
    const up = Math.sqrt((to ** 2 * (from ** 2 - to ** 2)) / from ** 2);
    return { down: Math.sqrt(to ** 2 - up ** 2), up };
  });
}

// Splits the way from one sigma to the next into a deterministic part down to `down` and noise of deviation `up`.
type Split = (from: number, to: number) => { readonly down: number; readonly up: number };

function plan(schedule: NoiseSchedule, stepCount: number, split: Split): SamplingPlan {
  const spacing = schedule.timestepSpacing ?? 'linspace';
  const timesteps = spacedTimesteps(schedule, stepCount, spacing).map(Math.fround);
  const sigmas = trainingSigmas(schedule);
  const visited = [...timesteps.map((t) => Math.fround(interpolate(sigmas, t))), 0];
  const largest = Math.max(...visited);
  return {
    initialScale: spacing === 'leading' ? Math.sqrt(largest ** 2 + 1) : largest,
    steps: timesteps.map((t, i) => {
      const from = visited[i]!;
      return planStep(schedule.predictionType, t, from, split(from, visited[i + 1]!));
    }),
  };
}

// The zero of a zero-terminal-SNR schedule becomes 2^-24, as in diffusers, so that the first sigma (4096) is finite.
function trainingSigmas(schedule: NoiseSchedule): Float32Array {
  const last = schedule.trainStepCount - 1;
  return schedule.alphasCumprod.map((alphaBar, t) => {
    const a = schedule.isZeroTerminalSnr && t === last ? 2 ** -24 : alphaBar;
    return Math.sqrt(Math.fround(Math.fround(1 - a) / a));
  });
}

// Linear between neighbours, constant beyond the ends (numpy.interp).
function interpolate(values: Float32Array, position: number): number {
  const last = values.length - 1;
  if (position >= last) return values[last]!;
  const index = Math.floor(position);
  const low = values[index]!;
  return (values[index + 1]! - low) * (position - index) + low;
}

// next = x + (x − x0) / σ · (down − σ), written so that nothing cancels: (x · down + x0 · (σ − down)) / σ.
function planStep(
  predictionType: PredictionType,
  timestep: number,
  sigma: number,
  { down, up }: ReturnType<Split>,
): SamplingStep {
  const denoised = predictX0(predictionType, sigma);
  return {
    timestep,
    inputScale: 1 / Math.sqrt(sigma ** 2 + 1),
    x: (down + (sigma - down) * denoised.x) / sigma,
    output: ((sigma - down) * denoised.output) / sigma,
    noise: up,
    denoised,
  };
}

function predictX0(predictionType: PredictionType, sigma: number): SamplingStep['denoised'] {
  switch (predictionType) {
    case 'epsilon':
      return { x: 1, output: -sigma };
    case 'v_prediction':
      return { x: 1 / (sigma ** 2 + 1), output: -sigma / Math.sqrt(sigma ** 2 + 1) };
    case 'sample':
      return { x: 0, output: 1 };
    default:
      return unreachable(predictionType);
  }
}
