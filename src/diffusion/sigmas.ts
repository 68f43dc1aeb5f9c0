// Noise levels as sigmas, σ = sqrt((1 − ābar) / ābar), and the ways to space them. The two families of samplers differ in detail, as they
// do in diffusers.
import { unreachable } from '../base/assert';
import type { SamplerOptions, SigmaSpacing } from './plan';
import type { NoiseSchedule, TimestepSpacing } from './schedule';
import { roundHalfEven, spacedTimesteps, wholeTimesteps } from './timesteps';

/** The levels of a whole run, before any strength: a timestep and a sigma for each step, and the 0 that the last step ends at. */
export type SigmaLevels = { readonly timesteps: readonly number[]; readonly sigmas: readonly number[] };

/** Levels of Euler and Heun (k-diffusion): timesteps may have fractions; Karras and exponential keep the ends of the schedule's own. */
export function continuousLevels(
  schedule: NoiseSchedule,
  stepCount: number,
  { sigmas: how = 'schedule' }: SamplerOptions,
): SigmaLevels {
  const training = trainingSigmas(schedule);
  const timesteps = spacedTimesteps(schedule, stepCount, spacingOf(schedule)).map(Math.fround);
  const own = timesteps.map((t) => interpolate(training, t));
  if (how === 'schedule') return { timesteps, sigmas: endingAtZero(own) };
  const sigmas = respace(how, own[0]!, own.at(-1)!, stepCount);
  return {
    timesteps: sigmas.map(timestepOf(training)).map(Math.fround),
    sigmas: endingAtZero(sigmas),
  };
}

/**
 * Levels of DPM-Solver++ and UniPC: timesteps are whole, one interval shorter than others' with leading and linspace; Karras and
 * exponential go from the first to the last training step. Karras timesteps are rounded, exponential ones cut off.
 */
export function wholeLevels(
  schedule: NoiseSchedule,
  stepCount: number,
  { sigmas: how = 'schedule' }: SamplerOptions,
): SigmaLevels {
  const training = trainingSigmas(schedule);
  if (how === 'schedule') {
    const spacing = spacingOf(schedule);
    const timesteps =
      spacing === 'trailing'
        ? wholeTimesteps(schedule, stepCount, spacing)
        : wholeTimesteps(schedule, stepCount + 1, spacing).slice(0, -1);
    return { timesteps, sigmas: endingAtZero(timesteps.map((t) => interpolate(training, t))) };
  }
  const sigmas = respace(how, training.at(-1)!, training[0]!, stepCount);
  const whole = how === 'karras' ? roundHalfEven : Math.trunc;
  return {
    timesteps: sigmas.map(timestepOf(training)).map(whole),
    sigmas: endingAtZero(sigmas),
  };
}

/** The spacing that the config names, or that of the samplers here. */
export function spacingOf({ timestepSpacing }: NoiseSchedule): TimestepSpacing {
  return timestepSpacing ?? 'linspace';
}

const endingAtZero = (sigmas: readonly number[]) => [...sigmas.map(Math.fround), 0];

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

function respace(
  how: Exclude<SigmaSpacing, 'schedule'>,
  largest: number,
  smallest: number,
  count: number,
): number[] {
  const between = (first: number, last: number) =>
    Array.from({ length: count }, (_, i) => (i === 0 ? first : first + (i / (count - 1)) * (last - first)));
  switch (how) {
    case 'karras': {
      const rho = 7; // the paper's
      return between(largest ** (1 / rho), smallest ** (1 / rho)).map((root) => root ** rho);
    }
    case 'exponential':
      return between(Math.log(largest), Math.log(smallest)).map(Math.exp);
    default:
      return unreachable(how);
  }
}

// The timestep, with a fraction, of a sigma: the inverse of the schedule, linear in log σ between neighbours.
function timestepOf(training: Float32Array): (sigma: number) => number {
  const logs = training.map(Math.log);
  return (sigma) => {
    const wanted = Math.log(sigma);
    const above = logs.findIndex((log) => log > wanted);
    const low = above < 0 ? logs.length - 2 : Math.max(above - 1, 0);
    const part = (logs[low]! - wanted) / (logs[low]! - logs[low + 1]!);
    return low + Math.min(1, Math.max(0, part));
  };
}
