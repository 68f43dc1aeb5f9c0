// The preflight of drawing, and the tiles that follow from it, on an AutoencoderKL of a few channels.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeGraph, encodeGraph, type LatentShape } from '../models/stable-diffusion';
import { readFixture } from '../models/testing/fixture';
import { randn, seededWeights } from '../models/testing/seeded-weights';
import { parseAutoencoderKlConfig } from '../models/vae/kl';
import { sizeOf, type FloatType } from '../onnx/graph';
import { largestTensorBytes, peakBytes } from '../onnx/liveness';
import type { Runtime } from '../runtime/runtime';
import type { BaseModel } from './base-model';
import { decodeLatents, encodePicture } from './pictures';
import { Pipeline } from './pipeline';
import {
  decodedSide,
  encodedSide,
  overheadBytes,
  samplingFailure,
  samplingMemory,
  samplingNeeds,
} from './sampling-memory';
import { stableDiffusion1 } from '../models/presets/stable-diffusion';
import { bundledModel, openNodeRuntime } from './testing/bundled';
import { configuredModel } from './testing/configured-model';

const shape: LatentShape = [1, 4, 28, 40];
const config = parseAutoencoderKlConfig(
  readFixture<{ config: unknown }>(join(import.meta.dirname, '../models'), 'vae-kl-tiled').config,
);
const vae = { kind: 'AutoencoderKL', config } as const;
const decoder = decodeGraph(vae, shape);
const encoder = encodeGraph(vae, [1, 3, 56, 80]);

/** The autoencoder alone, its decoder's first layer `firstGain` times as strong; the other components have no weights. */
async function pipelineWith(
  change: Partial<Runtime>,
  type: FloatType = 'float32',
  firstGain = 1,
): Promise<Pipeline> {
  const weights = (name: string, dims: readonly number[]) =>
    seededWeights(name, dims).map((x) => (name === 'vae.decoder.conv_in.weight' ? firstGain * x : x));
  const sources = [...decoder.parameters, ...encoder.parameters].map(({ name, shape: dims }) => ({
    name,
    type: 'float32' as const,
    shape: dims,
    read: () => Promise.resolve(new Uint8Array(weights(name, dims).buffer)),
  }));
  const model: BaseModel = {
    ...(await bundledModel()),
    vae,
    pixelsPerLatent: 2 ** (config.block_out_channels.length - 1),
    sources: { unet: [], text_encoder: [], vae: sources },
  };
  return new Pipeline({ ...openNodeRuntime(), ...change }, model, { samplingType: type });
}

const weightBytes =
  4 * [...decoder.parameters, ...encoder.parameters].reduce((sum, { shape: dims }) => sum + sizeOf(dims), 0);

async function draw(pipeline: Pipeline, dims: LatentShape, data: Float32Array<ArrayBuffer>) {
  const latents = pipeline.runtime.upload('test', 'float32', dims, data);
  const picture = await decodeLatents(pipeline, latents);
  latents.dispose();
  await pipeline.dispose();
  return picture;
}

describe('the decoder', () => {
  test('takes all at once where that fits, tiles where a tensor or the whole would not', async () => {
    const heldBytes = 2 * weightBytes + overheadBytes; // ours and the session's
    const side = async (change: Partial<Runtime>) => decodedSide(await pipelineWith(change), shape);
    const largest = largestTensorBytes(decodeGraph(vae, shape, { largestBytes: 1 })); // scores can be cut, these cannot
    expect(await side({ largestTensorBytes: largest })).toBe(40);
    expect(await side({ largestTensorBytes: largest - 1 })).toBe(32);
    expect(await side({ memoryLimitBytes: heldBytes + peakBytes(decoder) })).toBe(40);
    expect(await side({ memoryLimitBytes: heldBytes + peakBytes(decoder) - 1 })).toBe(32);
    expect(await side({ memoryLimitBytes: 0 })).toBe(24);
  });

  test('draws a first tile as if it were alone, and the whole size', async () => {
    const latents = randn('latents', shape);
    const picture = await draw(await pipelineWith({ memoryLimitBytes: 0 }), shape, latents);
    expect([picture.width, picture.height]).toEqual([80, 56]);
    const corner = Float32Array.from({ length: 4 * 24 * 24 }, (_, i) => {
      const [plane, y, x] = [Math.floor(i / 576), Math.floor(i / 24) % 24, i % 24];
      return latents[(plane * 28 + y) * 40 + x]!;
    });
    const alone = await draw(await pipelineWith({}), [1, 4, 24, 24], corner);
    const stays = 36; // three quarters of the tile
    for (let y = 0; y < stays; y++)
      expect(picture.rgba.subarray(4 * 80 * y, 4 * (80 * y + stays))).toEqual(
        alone.rgba.subarray(4 * 48 * y, 4 * (48 * y + stays)),
      );
  });
});

describe('the encoder', () => {
  test('takes tiles where a tensor or the whole would not fit, or a job holds the rest', async () => {
    const heldBytes = 2 * weightBytes + overheadBytes;
    const side = async (change: Partial<Runtime>, reservedBytes = 0) =>
      encodedSide(Object.assign(await pipelineWith(change), { reservedBytes }), shape);
    const largest = largestTensorBytes(encodeGraph(vae, [1, 3, 56, 80], { largestBytes: 1 }));
    expect(await side({ largestTensorBytes: largest })).toBe(40);
    expect(await side({ largestTensorBytes: largest - 1 })).toBe(32);
    expect(await side({ memoryLimitBytes: heldBytes + peakBytes(encoder) })).toBe(40);
    expect(await side({ memoryLimitBytes: heldBytes + peakBytes(encoder) }, 1)).toBe(32);
    expect(await side({ memoryLimitBytes: 0 })).toBe(24);
  });

  test('sees a first tile as if it were alone, and the whole size', async () => {
    const picture = randn('picture', [3, 56, 80]).map((x) => Math.tanh(x));
    const corner = Float32Array.from({ length: 3 * 48 * 48 }, (_, i) => {
      const [plane, y, x] = [Math.floor(i / 2304), Math.floor(i / 48) % 48, i % 48];
      return picture[(plane * 56 + y) * 80 + x]!;
    });
    const tiled = await encodePicture(await pipelineWith({ memoryLimitBytes: 0 }), picture, 80, 56);
    const alone = await encodePicture(await pipelineWith({}), corner, 48, 48);
    expect([tiled.mean.length, tiled.deviation?.length]).toEqual([4 * 28 * 40, 4 * 28 * 40]);
    for (let y = 0; y < 18; y++) {
      const [row, own] = [y * 40, y * 24];
      expect(tiled.mean.subarray(row, row + 18)).toEqual(alone.mean.subarray(own, own + 18));
      for (let x = 0; x < 18; x++)
        expect(tiled.deviation![row + x]! / alone.deviation![own + x]!).toBeCloseTo(1, 5);
    }
  });
});

describe('the preflight', () => {
  const drawing = { shape, guided: true };
  const refusal = (pipeline: Pipeline) => samplingFailure(pipeline, samplingNeeds(pipeline, drawing));

  test('counts the encoder where a picture is the start', async () => {
    const pipeline = await pipelineWith({ backend: 'webgpu', memoryLimitBytes: Infinity });
    const wide = { shape: [1, 4, 120, 120] as const, guided: false };
    const [plain, from] = [false, true].map((fromPicture) =>
      samplingMemory(pipeline, { ...wide, fromPicture }),
    );
    expect(from).toBeGreaterThanOrEqual(plain!);
    expect(from).toBeGreaterThanOrEqual(
      weightBytes + overheadBytes + peakBytes(encodeGraph(vae, [1, 3, 240, 240], pipeline.graphOptions)),
    );
  });

  test('refuses what memory cannot hold, and a tensor that the device cannot bind', async () => {
    expect(refusal(await pipelineWith({}))).toBeUndefined();
    const small = { memoryLimitBytes: 1e6 };
    expect(refusal(await pipelineWith(small))).toMatchObject({
      code: 'out-of-memory',
      details: { what: 'sampling', limitBytes: 1e6 },
    });
    expect(refusal(await pipelineWith({ largestTensorBytes: 1e4 }))).toMatchObject({
      code: 'out-of-memory',
      details: { what: 'sampling', tensorLimitBytes: 1e4 },
    });
  });

  test('refuses Stable Diffusion 1.5 on wasm before a weight is read', () => {
    const model = configuredModel(stableDiffusion1);
    const full = new Pipeline(openNodeRuntime(), model);
    const read = () => Promise.reject(new Error('a weight was read'));
    for (const source of Object.values(model.sources).flat()) Object.assign(source, { read });
    const needs = samplingNeeds(full, { shape: [1, 4, 64, 64], guided: true });
    expect(samplingFailure(full, needs)?.code).toBe('out-of-memory');
    expect(needs.neededBytes / 1e9).toBeGreaterThan(8.5); // 4.26 GB as float32, twice
  });
});

describe('a decoder in float16', () => {
  const latents = randn('latents', shape);

  test('takes less, and draws nearly the same', async () => {
    const half = await pipelineWith({}, 'float16');
    const full = await pipelineWith({});
    expect(samplingMemory(half, { shape, guided: true })).toBeLessThan(
      samplingMemory(full, { shape, guided: true }),
    );
    const [one, other] = [await draw(half, shape, latents), await draw(full, shape, latents)];
    const difference = one.rgba.reduce((sum, level, i) => sum + Math.abs(level - other.rgba[i]!), 0);
    expect(difference / one.rgba.length).toBeLessThan(0.5);
    expect(difference).toBeGreaterThan(0);
  });

  test('that overflows is replaced by the one in float32, for the next picture too', async () => {
    const large = 1e6; // the group norm after it takes it out again
    const half = await pipelineWith({}, 'float16', large);
    const picture = await draw(half, shape, latents);
    expect(half.decoderType).toBe('float32');
    expect(picture).toEqual(await draw(await pipelineWith({}, 'float32', large), shape, latents));
  });

  test('cannot help latents that have overflowed themselves', async () => {
    const pipeline = await pipelineWith({}, 'float16');
    await expect(draw(pipeline, shape, latents.with(5, NaN))).rejects.toMatchObject({
      code: 'half-overflow',
    });
    expect(pipeline.decoderType).toBe('float16');
  });
});

test('the estimate holds all weights: once on WebGPU, as float16 where it can, twice on wasm', async () => {
  const bytes = async (change: Partial<Runtime>) =>
    samplingMemory(await pipelineWith(change), { shape, guided: true });
  const webgpu = await bytes({ backend: 'webgpu' });
  expect((await bytes({})) - webgpu).toBe(weightBytes);
  const model = configuredModel(stableDiffusion1);
  const full = (weightType: 'float16' | 'float32') =>
    samplingMemory(new Pipeline({ ...openNodeRuntime(), backend: 'webgpu', weightType }, model), {
      shape: [1, 4, 64, 64],
      guided: true,
    });
  const weights = Object.values(model.sources).flat();
  const count = weights.reduce((sum, { shape: dims }) => sum + sizeOf(dims), 0);
  expect((full('float32') - full('float16')) / (2 * count)).toBeCloseTo(1, 1);
  expect(webgpu).toBeGreaterThanOrEqual(weightBytes + overheadBytes + peakBytes(decoder));
});
