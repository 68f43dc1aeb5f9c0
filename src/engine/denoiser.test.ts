// The sampling loop on a device: every sampler and every spacing of sigmas with the bundled model, and what inpainting keeps.
import { beforeAll, describe, expect, test } from 'vitest';
import { torchRandn } from '../base/random';
import { sample } from '../diffusion/sample';
import { planSampling, samplers, sigmaSamplers, type SamplerName } from '../diffusion/samplers/samplers';
import type { SamplerOptions } from '../diffusion/plan';
import type { LatentShape } from '../models/stable-diffusion';
import type { DeviceTensor } from '../runtime/runtime';
import { openDenoiser } from './denoiser';
import { Pipeline } from './pipeline';
import { encodePrompt } from './prompts';
import { bundledModel, openNodeRuntime } from './testing/bundled';

let pipeline: Pipeline;
let texts: { conditional: Float32Array; unconditional: Float32Array };
beforeAll(async () => {
  pipeline = new Pipeline(openNodeRuntime(), await bundledModel());
  texts = {
    conditional: await encodePrompt(pipeline, 'a red ball'),
    unconditional: await encodePrompt(pipeline, ''),
  };
}, 60_000);

const side = 4;
const names = Object.keys(samplers) as SamplerName[];

async function draw(
  sampler: SamplerName,
  options: SamplerOptions = {},
  inputs: (
    upload: (values: Float32Array<ArrayBuffer>) => DeviceTensor,
  ) => Partial<Record<'picture' | 'mask', DeviceTensor>> = () => ({}),
) {
  const { runtime, model } = pipeline;
  const shape: LatentShape = [1, model.unet.in_channels, side, side];
  const own = { shape, guidance: 4, rescale: 0.7, adapter: undefined, seeds: [3], ...texts };
  const denoiser = await openDenoiser(pipeline, own);
  const noise = denoiser.initial();
  const given = inputs((values) =>
    runtime.upload('test', 'float32', [1, values.length / side ** 2, side, side], values),
  );
  const plan = planSampling(model.schedule, sampler, 4, options);
  const job = sample(plan, denoiser, { noise, ...given }, new AbortController().signal);
  let next = await job.next();
  while (!next.done) next = await job.next();
  const latents = Float32Array.from((await runtime.read(next.value)) as Float32Array);
  for (const tensor of [next.value, noise, ...Object.values(given)]) tensor.dispose();
  denoiser.close();
  return latents;
}

/** Finite, and as spread as latents are. */
function expectLatents(latents: Float32Array): void {
  const deviation = Math.sqrt(latents.reduce((sum, x) => sum + x * x, 0) / latents.length);
  expect(deviation).toBeGreaterThan(0.1);
  expect(deviation).toBeLessThan(10); // four steps of Heun from a sigma of 4096 are coarse
}

describe('a picture by every sampler', () => {
  test.each(names)('%s', async (name) => expectLatents(await draw(name)));
  test.each(sigmaSamplers.flatMap((name) => [[name, 'karras'] as const, [name, 'exponential'] as const]))(
    '%s, %s sigmas',
    async (name, sigmas) => expectLatents(await draw(name, { sigmas })),
  );
});

test('inpainting keeps the picture outside of the mask and draws inside', async () => {
  const size = pipeline.model.unet.in_channels * side ** 2;
  const picture = torchRandn(8, size);
  const mask = Float32Array.from({ length: side ** 2 }, (_, i) => (i % side < 2 ? 1 : 0));
  const latents = await draw('dpmpp-2m', { strength: 0.75 }, (upload) => ({
    picture: upload(picture),
    mask: upload(mask),
  }));
  latents.forEach((x, i) => {
    if (i % side < 2) expect(x).not.toBe(picture[i]!);
    else expect(x).toBe(picture[i]!);
  });
  expectLatents(latents);
});

test('nothing is left on the device', () => {
  expect(Object.keys(pipeline.runtime.memory())).toEqual(expect.not.arrayContaining(['test', 'sampling']));
});
