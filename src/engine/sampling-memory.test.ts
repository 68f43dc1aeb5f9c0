// The preflight of drawing, and the tiles that follow from it, on an AutoencoderKL of a few channels.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeGraph, type LatentShape } from '../models/stable-diffusion';
import { readFixture } from '../models/testing/fixture';
import { randn, seededWeights } from '../models/testing/seeded-weights';
import { parseAutoencoderKlConfig } from '../models/vae/kl';
import { largestTensorBytes, peakBytes } from '../onnx/liveness';
import type { Runtime } from '../runtime/runtime';
import type { BaseModel } from './base-model';
import { decodeLatents } from './pictures';
import { Pipeline } from './pipeline';
import { decodedSide, overheadBytes, samplingMemory } from './sampling-memory';
import { stableDiffusion1 } from '../models/presets/stable-diffusion';
import { bundledModel, openNodeRuntime } from './testing/bundled';
import { configuredModel } from './testing/configured-model';

const shape: LatentShape = [1, 4, 28, 40];
const config = parseAutoencoderKlConfig(
  readFixture<{ config: unknown }>(join(import.meta.dirname, '../models'), 'vae-kl-tiled').config,
);
const vae = { kind: 'AutoencoderKL', config } as const;
const decoder = decodeGraph(vae, shape);

/** The autoencoder alone; the other components have no weights. */
async function pipelineWith(change: Partial<Runtime>): Promise<Pipeline> {
  const sources = decoder.parameters.map(({ name, shape: dims }) => ({
    name,
    type: 'float32' as const,
    shape: dims,
    read: () => Promise.resolve(new Uint8Array(seededWeights(name, dims).buffer as ArrayBuffer)),
  }));
  const model: BaseModel = {
    ...(await bundledModel()),
    vae,
    pixelsPerLatent: 2 ** (config.block_out_channels.length - 1),
    sources: { unet: [], text_encoder: [], vae: sources },
  };
  return new Pipeline({ ...openNodeRuntime(), ...change }, model);
}

const weightBytes =
  4 * decoder.parameters.reduce((sum, { shape: dims }) => sum + dims.reduce((a, b) => a * b, 1), 0);

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

test('the estimate holds all weights: once on WebGPU, as float16 where it can, twice on wasm', async () => {
  const bytes = async (change: Partial<Runtime>) => samplingMemory(await pipelineWith(change), { shape, guided: true });
  const webgpu = await bytes({ backend: 'webgpu' });
  expect((await bytes({})) - webgpu).toBe(weightBytes);
  const model = configuredModel(stableDiffusion1);
  const full = (weightType: 'float16' | 'float32') =>
    samplingMemory(new Pipeline({ ...openNodeRuntime(), backend: 'webgpu', weightType }, model), {
      shape: [1, 4, 64, 64],
      guided: true,
    });
  const weights = Object.values(model.sources).flat();
  const count = weights.reduce((sum, { shape: dims }) => sum + dims.reduce((a, b) => a * b, 1), 0);
  expect((full('float32') - full('float16')) / (2 * count)).toBeCloseTo(1, 1);
  expect(webgpu).toBeGreaterThanOrEqual(weightBytes + overheadBytes + peakBytes(decoder));
});
