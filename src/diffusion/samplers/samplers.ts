// Every sampler by name. A new one is a file beside this and a row here.
import { assert } from '../../base/assert';
import type { Sampler, SamplerOptions, SamplingPlan } from '../plan';
import type { NoiseSchedule } from '../schedule';
import { planDdim } from './ddim';
import { planDdpm } from './ddpm';
import { planDpmSolver, planDpmSolverSde } from './dpm-solver';
import { planEuler, planEulerAncestral } from './euler';
import { planHeun } from './heun';
import { planLcm } from './lcm';
import { planPndm } from './pndm';
import { planTcd } from './tcd';
import { planUniPc } from './unipc';

export type SamplerName =
  | 'ddim'
  | 'ddpm'
  | 'euler'
  | 'euler-ancestral'
  | 'heun'
  | 'dpmpp-2m'
  | 'dpmpp-2m-sde'
  | 'unipc'
  | 'pndm'
  | 'lcm'
  | 'tcd';

export const samplers: Readonly<Record<SamplerName, Sampler>> = {
  ddim: planDdim,
  ddpm: planDdpm,
  euler: planEuler,
  'euler-ancestral': planEulerAncestral,
  heun: planHeun,
  'dpmpp-2m': planDpmSolver,
  'dpmpp-2m-sde': planDpmSolverSde,
  unipc: planUniPc,
  pndm: planPndm,
  lcm: planLcm,
  tcd: planTcd,
};

/** Samplers whose sigmas can be spaced anew; the others ignore SamplerOptions.sigmas. */
export const sigmaSamplers: readonly SamplerName[] = ['euler', 'heun', 'dpmpp-2m', 'dpmpp-2m-sde', 'unipc'];

/**
 * The plan of `stepCount` steps of a sampler over a schedule. Throws AppError('bad-settings') for a count or a strength that the
 * schedule or the sampler does not allow.
 */
export function planSampling(
  schedule: NoiseSchedule,
  sampler: SamplerName,
  stepCount: number,
  options: SamplerOptions = {},
): SamplingPlan {
  const plan = samplers[sampler](schedule, stepCount, options);
  for (const { timestep, x, output, noise, history = [], noised } of plan.steps) {
    const numbers = [x, output, noise, noised.x0, noised.noise, ...history.flatMap((h) => [h.x, h.output])];
    assert(numbers.every(Number.isFinite), `${sampler} has no finite step at ${timestep}`);
  }
  return plan;
}
