import { describe, expect, test } from 'vitest';
import ddim from '../__fixtures__/ddim.json';
import ddpm from '../__fixtures__/ddpm.json';
import distilled from '../__fixtures__/distilled.json';
import dpmSolver from '../__fixtures__/dpm-solver.json';
import euler from '../__fixtures__/euler.json';
import eulerSpaced from '../__fixtures__/euler-spaced.json';
import heun from '../__fixtures__/heun.json';
import pndm from '../__fixtures__/pndm.json';
import unipc from '../__fixtures__/unipc.json';
import schedules from '../__fixtures__/schedules.json';
import { parseSchedule, type TimestepSpacing } from '../schedule';
import { decode, largestError, runPlan, sigmasOf } from '../testing/fake-model';
import { spacedTimesteps, wholeTimesteps } from '../timesteps';
import { planSampling, type SamplerName } from './samplers';

type Trajectory = {
  readonly config: Readonly<Record<string, unknown>>;
  readonly steps: number;
  readonly eta: number;
  readonly initialScale: number;
  readonly timesteps: readonly number[];
  readonly trajectory: string; // [calls, 16] float32
  readonly denoised?: string;
};

async function checkTrajectory(sampler: SamplerName, expected: Trajectory): Promise<void> {
  const { config, eta } = expected;
  const sigmas = sigmasOf(config);
  const plan = planSampling(parseSchedule(config), sampler, expected.steps, { eta, sigmas });
  const timesteps = plan.steps.map((step) => step.timestep);
  if (sigmas === 'schedule') expect(timesteps).toEqual(expected.timesteps);
  // Euler and Heun find a fraction by logarithms in float32, whose last digit differs from machine to machine
  else timesteps.forEach((t, i) => expect(t).toBeCloseTo(expected.timesteps[i]!, 3));
  expect(plan.start.x0).toBe(0);
  expect(plan.start.noise / expected.initialScale).toBeCloseTo(1, 6);

  const { latents, denoised } = await runPlan(plan);
  expect(latents).toHaveLength(expected.timesteps.length);
  expect(largestError(latents, decode(expected.trajectory))).toBeLessThanOrEqual(1e-5);

  if (expected.denoised === undefined) return;
  const estimates = denoised.slice(0, -1).map((x0) => x0!);
  expect(largestError(estimates, decode(expected.denoised))).toBeLessThanOrEqual(1e-5);
}

const groups: readonly (readonly [SamplerName, readonly Trajectory[]])[] = [
  ['ddim', ddim.cases],
  ['euler', euler.euler],
  ['euler', eulerSpaced.euler],
  ['euler-ancestral', euler.ancestral],
  ['ddpm', ddpm.ddpm],
  ['heun', heun.heun],
  ['dpmpp-2m', dpmSolver.plain],
  ['dpmpp-2m-sde', dpmSolver.stochastic],
  ['unipc', unipc.unipc],
  ['pndm', pndm.pndm],
  ['lcm', distilled.lcm],
  ['tcd', distilled.tcd],
];

for (const [sampler, cases] of groups) {
  describe(`${sampler} follows diffusers over the whole trajectory`, () => {
    for (const expected of cases) {
      const { prediction_type, timestep_spacing, rescale_betas_zero_snr, beta_schedule } =
        expected.config as {
          readonly prediction_type: string;
          readonly timestep_spacing?: string;
          readonly rescale_betas_zero_snr?: boolean;
          readonly beta_schedule: string;
        };
      const zero = rescale_betas_zero_snr === true ? ', zero SNR' : '';
      const spacing = timestep_spacing ?? 'default spacing';
      const how = `${prediction_type}, ${spacing}, ${sigmasOf(expected.config)} sigmas, ${beta_schedule}${zero}`;
      test(`${how}, ${expected.steps} steps, eta ${expected.eta}`, () => checkTrajectory(sampler, expected));
    }
  });
}

describe('timesteps', () => {
  const latent = parseSchedule({ steps_offset: 1 });
  for (const { sampler, spacing, sums } of schedules.timesteps) {
    test(`${sampler} with ${spacing} spacing visits those of diffusers for every count from 1 to 250`, () => {
      const list = sampler === 'ddim' ? wholeTimesteps : spacedTimesteps;
      const actual = sums.map(([steps]) => {
        const times = list(latent, steps!, spacing as TimestepSpacing).map(Math.fround);
        return [steps, times.reduce((sum, t, i) => sum + (i + 1) * t, 0)];
      });
      expect(actual).toEqual(sums);
    });
  }
});

test('TCD has a γ of 0.3 where none is asked for', () => {
  const plan = (eta?: number) => planSampling(parseSchedule({}), 'tcd', 4, eta === undefined ? {} : { eta });
  expect(plan()).toEqual(plan(0.3));
});

describe('planSampling refuses', () => {
  const refusal = (config: unknown, sampler: SamplerName, steps: number) => () =>
    planSampling(parseSchedule(config), sampler, steps);

  test('counts outside the schedule', () => {
    for (const steps of [0, 1001, 2.5]) {
      expect(refusal({}, 'euler', steps)).toThrow(expect.objectContaining({ code: 'bad-settings' }));
    }
  });

  test('more steps than a model was distilled on', () => {
    for (const sampler of ['lcm', 'tcd'] as const) {
      const details = { setting: 'steps', reason: 'between 1 and 50', value: 51 };
      expect(refusal({}, sampler, 51)).toThrow(expect.objectContaining({ code: 'bad-settings', details }));
    }
  });

  test('a DDIM step beyond the end of the schedule', () => {
    const config = { steps_offset: 1, timestep_spacing: 'leading' };
    expect(refusal(config, 'ddim', 1000)).toThrow(expect.objectContaining({ code: 'bad-settings' }));
  });

  test('DDIM on pure noise with a model that predicts the noise', () => {
    const config = { rescale_betas_zero_snr: true, timestep_spacing: 'trailing' };
    expect(refusal(config, 'ddim', 4)).toThrow(expect.objectContaining({ code: 'bad-settings' }));
  });
});
