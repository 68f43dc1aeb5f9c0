// Whole pictures that start from a picture's posterior, as an AutoencoderKL gives one, against diffusers' pipelines: a small seeded UNet and
// autoencoder behind the bundled text encoder. The order of all random draws is in them.
import { expect, test } from 'vitest';
import fixture from './__fixtures__/pictures-kl.json';
import { decodeGraph, denoiseGraph, encodeGraph } from '../models/stable-diffusion';
import { seededWeights } from '../models/testing/seeded-weights';
import { parseUnetConfig } from '../models/unet/config';
import { parseAutoencoderKlConfig } from '../models/vae/kl';
import type { Value } from '../onnx/graph';
import type { BaseModel } from './base-model';
import type { SampleRequest, SamplerName } from './contract';
import { Pipeline } from './pipeline';
import { drawImages } from './sample-job';
import { bundledModel, openNodeRuntime } from './testing/bundled';
import { decodePngInNode, encodePngInNode, pixelsOf } from './testing/png';

const side = 64;

const sourcesOf = (parameters: readonly Value[]) =>
  parameters.map(({ name, shape }) => ({
    name,
    type: 'float32' as const,
    shape,
    read: () => Promise.resolve(new Uint8Array(seededWeights(name, shape).buffer as ArrayBuffer)),
  }));

async function klModel(): Promise<BaseModel> {
  const bundled = await bundledModel();
  const { manifest, text, sources } = bundled;
  const unet = parseUnetConfig(fixture.configs.unet);
  const vae = { kind: 'AutoencoderKL', config: parseAutoencoderKlConfig(fixture.configs.vae) } as const;
  const options = { contextLength: text.max_position_embeddings, guided: false, rescaled: false };
  const vaeGraphs = [decodeGraph(vae, [1, 4, 8, 8]), encodeGraph(vae, [1, 3, side, side])];
  return {
    ...bundled,
    manifest: { ...manifest, sampling: { ...manifest.sampling, guidanceRescale: 0 } }, // diffusers' image-to-image has none
    unet,
    vae,
    pixelsPerLatent: 8,
    sources: {
      ...sources,
      unet: sourcesOf(denoiseGraph(unet, { shape: [1, 4, 8, 8], ...options }).graph.parameters),
      vae: sourcesOf(vaeGraphs.flatMap(({ parameters }) => parameters)),
    },
  };
}

const pngOf = (levelAt: (x: number, y: number, channel: number) => number) =>
  encodePngInNode(
    Uint8ClampedArray.from({ length: side * side * 4 }, (_, i) => {
      const pixel = Math.floor(i / 4);
      return i % 4 === 3 ? 255 : levelAt(pixel % side, Math.floor(pixel / side), i % 4);
    }),
    side,
    side,
  );

const isMasked = (x: number, y: number) => x >= 24 && x < 56 && y >= 16 && y < 48;

test.each(fixture.cases)('$sampler, $kind', async ({ sampler, kind, strength, seeds, picture }) => {
  const { edit, steps, seed, guidance } = fixture;
  const start = {
    picture: await pngOf((x, y, channel) => (4 * x + 2 * y + 60 * channel) % 256),
    mask: kind === 'mask' ? await pngOf((x, y) => (isMasked(x, y) ? 255 : 0)) : undefined,
    strength,
  };
  const request: SampleRequest = {
    prompt: edit,
    negativePrompt: '',
    promptSyntax: 'plain',
    subjectId: undefined,
    checkpointStep: undefined,
    subjectStrength: 1,
    ...{ steps, seed, guidance, start },
    ...(seeds ? { seeds, batchSize: seeds.length } : {}),
    width: side,
    height: side,
    images: seeds?.length ?? 1,
    sampler: sampler as SamplerName,
    sigmas: 'schedule',
    livePreview: false,
  };
  const pipeline = new Pipeline(openNodeRuntime(), await klModel());
  const platform = { encodePng: encodePngInNode, decodePicture: decodePngInNode, now: () => 0 };
  const pngs: Blob[] = [];
  for await (const event of drawImages(pipeline, request, new AbortController().signal, platform))
    if (event.kind === 'image-ready') pngs.push(event.png);
  await pipeline.dispose();

  const rows = await pixelsOf(pngs.at(-1)!);
  const drawn = rows.filter((_, i) => i % (4 * side + 1) !== 0).filter((_, i) => i % 4 !== 3);
  const expected = Uint8Array.from(Buffer.from(picture, 'base64'));
  expect(drawn).toHaveLength(expected.length);
  const difference = drawn.reduce((sum, level, i) => sum + Math.abs(level - expected[i]!), 0) / drawn.length;
  expect(difference).toBeLessThan(1); // levels of 255
});
