import { describe, expect, test } from 'vitest';
import { assert } from '../base/assert';
import { isAppError } from '../base/errors';
import { torchRandn } from '../base/random';
import fixture from './__fixtures__/schedules.json';
import { addNoiseCoefficients, parseSchedule, snr, targetCoefficients } from './schedule';

function decode(base64: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);
}

describe.each(fixture.schedules)(
  'the schedule of $config',
  ({ config, alphasCumprod, t, noisy, velocity }) => {
    test('has the alphas of diffusers', () => {
      const actual = parseSchedule(config).alphasCumprod;
      const expected = decode(alphasCumprod);
      if (!('rescale_betas_zero_snr' in config)) {
        expect(actual).toEqual(expected); // to the last bit
        return;
      }
      // the vector square root of torch is a unit off in some places, so the rescaled ones are equal to within a few units
      expect(actual).toHaveLength(expected.length);
      expected.forEach((x, i) => expect(Math.abs(actual[i]! - x)).toBeLessThanOrEqual(5e-7 * x));
    });

    test('mixes noise and makes targets as diffusers does', () => {
      const schedule = parseSchedule({ ...config, prediction_type: 'v_prediction' });
      const [x0, noise] = [torchRandn(1, 16), torchRandn(2, 16)];
      const [wantedNoisy, wantedVelocity] = [decode(noisy), decode(velocity)];
      t.forEach((step, row) => {
        const mix = addNoiseCoefficients(schedule, step);
        const target = targetCoefficients(schedule, step);
        for (let i = 0; i < 16; i++) {
          const at = row * 16 + i;
          expect(mix.x0 * x0[i]! + mix.noise * noise[i]!).toBeCloseTo(wantedNoisy[at]!, 5);
          expect(target.x0 * x0[i]! + target.noise * noise[i]!).toBeCloseTo(wantedVelocity[at]!, 5);
        }
      });
    });
  },
);

test('targets of the other prediction types are the noise and x0 themselves', () => {
  const target = (prediction_type: string) => targetCoefficients(parseSchedule({ prediction_type }), 500);
  expect(target('epsilon')).toEqual({ x0: 0, noise: 1 });
  expect(target('sample')).toEqual({ x0: 1, noise: 0 });
});

test('the signal to noise ratio is that of the mix, and zero at the end of a zero-terminal-SNR schedule', () => {
  const schedule = parseSchedule({ rescale_betas_zero_snr: true });
  const mix = addNoiseCoefficients(schedule, 300);
  expect(snr(schedule, 300)).toBeCloseTo((mix.x0 / mix.noise) ** 2, 10);
  expect(snr(schedule, 999)).toBe(0);
  expect(() => snr(schedule, 1000)).toThrow('training step 1000');
});

test('absent fields take the defaults of diffusers', () => {
  const { alphasCumprod, ...rest } = parseSchedule({ _class_name: 'PNDMScheduler', skip_prk_steps: true });
  expect(rest).toEqual({
    trainStepCount: 1000,
    distilledStepCount: 50,
    timestepScaling: 10,
    predictionType: 'epsilon',
    timestepSpacing: undefined,
    stepsOffset: 0,
    isZeroTerminalSnr: false,
    finalAlphaCumprod: 1,
  });
  expect(alphasCumprod[0]).toBe(Math.fround(1 - 0.0001));
  const own = parseSchedule({ set_alpha_to_one: false });
  expect(own.finalAlphaCumprod).toBe(own.alphasCumprod[0]);
});

test.each([
  ['prediction_type', { prediction_type: 'flow' }],
  ['beta_schedule', { beta_schedule: 'sigmoid' }],
  ['trained_betas', { trained_betas: [0.1, 0.2] }],
  ['thresholding', { thresholding: true }],
  ['num_train_timesteps', { num_train_timesteps: '1000' }],
  ['', 'not an object'],
])('a config with an unsupported %s is refused by name', (field, config) => {
  let error: unknown;
  try {
    parseSchedule(config);
  } catch (thrown) {
    error = thrown;
  }
  assert(isAppError(error), 'not an AppError');
  expect(error.code).toBe('unsupported-model');
  expect(error.details['reason']).toContain(field);
});
