import { expect, test } from 'vitest';
import { torchRandn } from '../base/random';
import fixture from './__fixtures__/guidance.json';
import { combineGuidance, rescaleGuidance } from './guidance';

const conditional = torchRandn(11, 32); // [2, 4, 2, 2]
const unconditional = torchRandn(12, 32);

function decode(base64: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);
}

function expectClose(actual: Float32Array, expected: Float32Array): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((x, i) => expect(Math.abs(actual[i]! - x)).toBeLessThanOrEqual(2e-5)); // values up to 20
}

test('guidance goes from the unconditional prediction past the conditional one', () => {
  expectClose(combineGuidance(unconditional, conditional, fixture.scale), decode(fixture.guided));
  expectClose(combineGuidance(unconditional, conditional, 1), conditional);
  expectClose(combineGuidance(unconditional, conditional, 0), unconditional);
});

test.each(fixture.rescaled)(
  'rescale $rescale equals rescale_noise_cfg of diffusers',
  ({ rescale, values }) => {
    const guided = combineGuidance(unconditional, conditional, fixture.scale);
    expectClose(rescaleGuidance(guided, conditional, 2, rescale), decode(values));
  },
);
