// Learning rate of a step (diffusers' get_constant_schedule_with_warmup and get_cosine_schedule_with_warmup).
import type { LearningRateSchedule } from './settings';

/** The rate of 0-based `step` of `steps`: rises linearly over the warm-up, then stays or falls along half a cosine to 0. */
export function learningRateAt(
  step: number,
  options: { schedule: LearningRateSchedule; learningRate: number; warmupSteps: number; steps: number },
): number {
  const { schedule, learningRate, warmupSteps, steps } = options;
  if (step < warmupSteps) return learningRate * (step / warmupSteps);
  if (schedule === 'constant') return learningRate;
  const progress = (step - warmupSteps) / Math.max(1, steps - warmupSteps);
  return learningRate * Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
}
