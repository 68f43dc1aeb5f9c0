// Every sampler by name. A new one is a file beside this and a row here.
import { assert } from '../../base/assert';
import type { Sampler, SamplerOptions, SamplingPlan } from '../plan';
import type { NoiseSchedule } from '../schedule';
import { planDdim } from './ddim';
import { planEuler, planEulerAncestral } from './euler';

export type SamplerName = 'ddim' | 'euler' | 'euler-ancestral';

export const samplers: Readonly<Record<SamplerName, Sampler>> = {
  ddim: planDdim,
  euler: planEuler,
  'euler-ancestral': planEulerAncestral,
};

/**
 * The plan of `stepCount` steps of a sampler over a schedule. Throws AppError('bad-settings') for a count that the schedule or
 * the sampler does not allow.
 */
export function planSampling(
  schedule: NoiseSchedule,
  sampler: SamplerName,
  stepCount: number,
  options: SamplerOptions = {},
): SamplingPlan {
  const plan = samplers[sampler](schedule, stepCount, options);
  for (const { timestep, x, output, noise } of plan.steps) {
    assert([x, output, noise].every(Number.isFinite), `${sampler} has no finite step at ${timestep}`);
  }
  return plan;
}
