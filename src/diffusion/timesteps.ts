// Which training steps a sampler visits: table 2 of Lin et al. 2023, with the rounding of diffusers (numpy).
import { unreachable } from '../base/assert';
import { AppError } from '../base/errors';
import type { NoiseSchedule, TimestepSpacing } from './schedule';

/** numpy.round: halves go to the even neighbour. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * `stepCount` falling timesteps; `linspace` gives fractions, to be rounded by the sampler. diffusers' trailing spacing has one step more
 * at t = −1 for some counts (61 is the first), by a rounding error of numpy.arange; here it is left out.
 * Throws AppError('bad-settings') for a count that the schedule does not hold.
 */
export function spacedTimesteps(
  schedule: NoiseSchedule,
  stepCount: number,
  spacing: TimestepSpacing,
): readonly number[] {
  const { trainStepCount, stepsOffset } = schedule;
  if (!Number.isInteger(stepCount) || stepCount < 1 || stepCount > trainStepCount) {
    throw new AppError('bad-settings', {
      setting: 'steps',
      reason: `between 1 and ${trainStepCount}`,
      value: stepCount,
    });
  }
  const indices = Array.from({ length: stepCount }, (_, i) => i);
  switch (spacing) {
    case 'leading': {
      const ratio = Math.floor(trainStepCount / stepCount);
      return indices.map((i) => (stepCount - 1 - i) * ratio + stepsOffset);
    }
    case 'trailing': {
      const step = trainStepCount - trainStepCount / stepCount - trainStepCount; // as numpy.arange computes its step
      return indices.map((i) => roundHalfEven(trainStepCount + i * step) - 1);
    }
    case 'linspace': {
      if (stepCount === 1) return [0];
      const step = (trainStepCount - 1) / (stepCount - 1);
      return indices.map((i) => (i === 0 ? trainStepCount - 1 : (stepCount - 1 - i) * step));
    }
    default:
      return unreachable(spacing);
  }
}

/** As spacedTimesteps, but whole. */
export function wholeTimesteps(
  schedule: NoiseSchedule,
  stepCount: number,
  spacing: TimestepSpacing,
): readonly number[] {
  return spacedTimesteps(schedule, stepCount, spacing).map(roundHalfEven);
}

/**
 * How many of `stepCount` steps image-to-image leaves out at the noisy end (diffusers' get_timesteps); 0 without a strength.
 * Throws AppError('bad-settings') where no step is left.
 */
export function skippedSteps(stepCount: number, strength: number | undefined): number {
  if (strength === undefined) return 0;
  const taken = Math.min(Math.trunc(stepCount * strength), stepCount);
  if (!(taken >= 1)) {
    throw new AppError('bad-settings', {
      setting: 'strength',
      reason: `at least ${1 / stepCount}`,
      value: strength,
    });
  }
  return stepCount - taken;
}
