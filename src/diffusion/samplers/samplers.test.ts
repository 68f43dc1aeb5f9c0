import { describe, expect, test } from 'vitest';
import { createTorchGenerator, torchRandn } from '../../base/random';
import ddim from '../__fixtures__/ddim.json';
import euler from '../__fixtures__/euler.json';
import schedules from '../__fixtures__/schedules.json';
import { sample, type SampleBackend } from '../sample';
import { parseSchedule, type TimestepSpacing } from '../schedule';
import { spacedTimesteps, wholeTimesteps } from '../timesteps';
import { planSampling, type SamplerName } from './samplers';

const size = 16; // latents [1, 4, 2, 2]

type Trajectory = {
  readonly config: Readonly<Record<string, unknown>>;
  readonly steps: number;
  readonly eta: number;
  readonly initialScale: number;
  readonly timesteps: readonly number[];
  readonly trajectory: string; // [steps, 16] float32
  readonly denoised?: string;
};

function decode(base64: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);
}

function relativeError(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length);
  const difference = Math.max(...expected.map((x, i) => Math.abs(actual[i]! - x)));
  return difference / Math.max(...expected.map(Math.abs));
}

// The fake model of tools/oracle/schedulers.py, and float32 arrays; `seen` collects each x that the model was given.
function fakeBackend(seen: Float32Array[]): SampleBackend<Float32Array> {
  const random = createTorchGenerator(1000);
  const noise = createTorchGenerator(500);
  return {
    async predict(x, timestep, inputScale) {
      seen.push(x);
      const r = random.randn(size);
      return x.map((value, i) => 0.3 * value * inputScale + 0.5 * r[i]! + (0.2 * timestep) / 1000);
    },
    async linear(terms) {
      return Float32Array.from({ length: size }, (_, i) =>
        terms.reduce((sum, [coefficient, tensor]) => sum + coefficient * tensor[i]!, 0),
      );
    },
    noise: async () => noise.randn(size),
    dispose: () => undefined,
  };
}

async function checkTrajectory(sampler: SamplerName, expected: Trajectory): Promise<void> {
  const plan = planSampling(parseSchedule(expected.config), sampler, expected.steps, { eta: expected.eta });
  expect(plan.steps.map((step) => step.timestep)).toEqual(expected.timesteps);
  expect(plan.initialScale / expected.initialScale).toBeCloseTo(1, 6);

  const seen: Float32Array[] = [];
  const request = { noise: torchRandn(7, size), previewEvery: 1 };
  const job = sample(plan, fakeBackend(seen), request, new AbortController().signal);
  const denoised: (Float32Array | undefined)[] = [];
  let next = await job.next();
  for (; !next.done; next = await job.next()) denoised.push(next.value.x0);

  const latents = [...seen.slice(1), next.value];
  const wanted = decode(expected.trajectory);
  latents.forEach((x, i) => {
    const error = relativeError(x, wanted.subarray(i * size, (i + 1) * size));
    expect(error, `latents after step ${i + 1}`).toBeLessThanOrEqual(1e-5);
  });
  expect(latents).toHaveLength(expected.steps);

  if (expected.denoised === undefined) return;
  const wantedX0 = decode(expected.denoised);
  for (let i = 0; i < expected.steps - 1; i++) {
    const error = relativeError(denoised[i]!, wantedX0.subarray(i * size, (i + 1) * size));
    expect(error, `x0 at step ${i + 1}`).toBeLessThanOrEqual(1e-5);
  }
}

const groups: readonly (readonly [SamplerName, readonly Trajectory[]])[] = [
  ['ddim', ddim.cases],
  ['euler', euler.euler],
  ['euler-ancestral', euler.ancestral],
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
      const how = `${prediction_type}, ${spacing}, ${beta_schedule}${zero}`;
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

describe('planSampling refuses', () => {
  const refusal = (config: unknown, sampler: SamplerName, steps: number) => () =>
    planSampling(parseSchedule(config), sampler, steps);

  test('counts outside the schedule', () => {
    for (const steps of [0, 1001, 2.5]) {
      expect(refusal({}, 'euler', steps)).toThrow(expect.objectContaining({ code: 'bad-settings' }));
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
