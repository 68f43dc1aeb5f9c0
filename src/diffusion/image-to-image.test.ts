// Image-to-image and inpainting of every sampler against diffusers' own pipelines around the same fake model.
import { describe, expect, test } from 'vitest';
import { torchRandn } from '../base/random';
import fixture from './__fixtures__/image-to-image.json';
import { shrinkMask } from './inpainting';
import { parseSchedule } from './schedule';
import { planSampling, samplers, type SamplerName } from './samplers/samplers';
import { decode, largestError, runPlan, sigmasOf, size } from './testing/fake-model';
import { skippedSteps } from './timesteps';

type Case = (typeof fixture.imageToImage)[number];

const picture = torchRandn(3, size);
const mask = shrinkMask(decode(fixture.mask), 16, 16, 8);

function planOf({ config, sampler, steps }: Case, strength: number | undefined) {
  const options = { sigmas: sigmasOf(config), ...(strength === undefined ? {} : { strength }) };
  return planSampling(parseSchedule(config), sampler as SamplerName, steps, options);
}

test('every sampler is compared', () => {
  for (const cases of [fixture.imageToImage, fixture.inpainting])
    expect(new Set(cases.map(({ sampler }) => sampler))).toEqual(new Set(Object.keys(samplers)));
});

describe('image-to-image follows diffusers over the whole trajectory', () => {
  test.each(fixture.imageToImage)('$sampler, strength $strength of $steps steps', async (expected) => {
    const { latents } = await runPlan(planOf(expected, expected.strength), { picture });
    const wanted = decode(expected.trajectory);
    expect(latents).toHaveLength(wanted.length / size);
    expect(largestError(latents, wanted)).toBeLessThanOrEqual(1e-5);
  });
});

describe('inpainting follows diffusers over the whole trajectory', () => {
  test.each(fixture.inpainting)('$sampler, strength $strength of $steps steps', async (expected) => {
    const strength = expected.strength === 1 ? undefined : expected.strength; // from pure noise, as there
    const { latents } = await runPlan(planOf(expected, strength), { picture, mask });
    const wanted = decode(expected.trajectory);
    expect(latents).toHaveLength(wanted.length / size);
    expect(largestError(latents, wanted)).toBeLessThanOrEqual(1e-5);
  });
});

test('a painted mask is shrunk as diffusers does it', () => {
  expect(mask).toEqual(decode(fixture.shrunk));
});

test('a strength leaves out steps at the noisy end, and at least one is taken', () => {
  expect([undefined, 1, 0.5, 0.1].map((strength) => skippedSteps(10, strength))).toEqual([0, 0, 5, 9]);
  expect(skippedSteps(100, 0.29)).toBe(72); // 100 · 0.29 is a little less than 29
  for (const strength of [0, 0.09, -1, NaN]) {
    const details = { setting: 'strength', reason: 'at least 0.1', value: strength };
    expect(() => skippedSteps(10, strength)).toThrow(
      expect.objectContaining({ code: 'bad-settings', details }),
    );
  }
});
