// Previews of a picture under way on real ONNX Runtime, with TAESD got from a hub of our own and kept as the page keeps it.
import 'fake-indexeddb/auto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { colourLatents, fitColours } from '../diffusion/latent-colours';
import { parseAutoencoderKlConfig } from '../models/vae/kl';
import { decodeGraph, type LatentShape } from '../models/stable-diffusion';
import { floats, readFixture } from '../models/testing/fixture';
import { randn, seededWeights } from '../models/testing/seeded-weights';
import { createMemoryDisk } from '../storage/__fixtures__/memory-directory';
import { previewDecoderId } from '../storage/hub/preview-decoder-id';
import { removeModel } from '../storage/models';
import { fetchFrom, startTestHub } from '../storage/testing/hub-repos';
import type { Hub, HubRepo } from '../storage/testing/hub-server';
import { fromPlanarTensor } from '../training/images';
import type { BaseModel } from './base-model';
import { LivePreview, type PreviewOptions } from './live-preview';
import { createLibrary } from './model-library';
import { decodeLatents, decodePlanes } from './pictures';
import { Pipeline } from './pipeline';
import { bundledModel, openNodeRuntime } from './testing/bundled';
import { taesdFiles, taesdFixture } from './testing/autoencoder-files';

const never = new AbortController().signal;
const disk = createMemoryDisk();
const files = taesdFiles();
let hub: Hub | undefined;
let pipeline: Pipeline;

/** A model with Stable Diffusion's kind of latents, of which nothing but the decoder has weights. */
async function klModel(): Promise<BaseModel> {
  const { config } = readFixture<{ config: unknown }>(join(import.meta.dirname, '../models'), 'vae-kl-f8');
  const vae = { kind: 'AutoencoderKL', config: parseAutoencoderKlConfig(config) } as const;
  const sources = decodeGraph(vae, [1, 4, 1, 1]).parameters.map(({ name, shape }) => ({
    name,
    type: 'float32' as const,
    shape,
    read: () => Promise.resolve(new Uint8Array(seededWeights(name, shape).buffer as ArrayBuffer)),
  }));
  return {
    ...(await bundledModel()),
    vae,
    pixelsPerLatent: 8,
    sources: { unet: [], text_encoder: [], vae: sources },
  };
}

async function libraryWith(changes: Readonly<Record<string, Uint8Array>> = {}) {
  await hub?.close();
  const repo: HubRepo = {
    id: previewDecoderId,
    files: new Map([...files, ...Object.entries(changes)]),
    license: 'mit',
  };
  hub = await startTestHub([repo]);
  return createLibrary({
    fetch: fetchFrom(() => hub!),
    wait: async () => {},
    root: disk.root,
    freeBytes: () => Promise.resolve(1e9),
    now: () => 5,
  });
}
const inspect = async (changes?: Readonly<Record<string, Uint8Array>>) =>
  (await libraryWith(changes)).inspectModel(
    { id: previewDecoderId, revision: 'main', token: undefined },
    () => {},
    never,
  );

async function paint(
  at: Pipeline,
  shape: LatentShape,
  latents: Float32Array<ArrayBuffer>,
  options: Partial<PreviewOptions> = {},
) {
  const preview = new LivePreview(at, { spareBytes: 1e9, now: () => 0, root: disk.root, ...options });
  const tensor = at.runtime.upload('test', 'float32', shape, latents);
  const picture = await preview.paint(tensor);
  tensor.dispose();
  await preview.close();
  return picture;
}

beforeAll(async () => {
  pipeline = new Pipeline(openNodeRuntime(), await klModel());
});
afterAll(() => hub?.close());

const shape: LatentShape = [2, 4, 30, 26];
const latents = randn('preview', shape);

/** What the model's own decoder says of the middle 24 × 24 of the first picture, as colours of all of it. */
async function roughColours() {
  const whole = { data: latents.slice(0, 4 * 30 * 26), planes: 4, height: 30, width: 26 };
  const middle = Float32Array.from({ length: 4 * 24 * 24 }, (_, i) => {
    const [plane, y, x] = [Math.floor(i / 576), Math.floor(i / 24) % 24, i % 24];
    return latents[(plane * 30 + y + 3) * 26 + x + 1]!;
  });
  const part = { data: middle, planes: 4, height: 24, width: 24 };
  const colours = colourLatents(fitColours(part, await decodePlanes(pipeline, part)), whole);
  return { rgba: fromPlanarTensor(colours.data, 26, 30), width: 26, height: 30 };
}

describe('a model whose own decoder is large', () => {
  test('is previewed by rough colours, one pixel a latent', async () => {
    expect(await paint(pipeline, shape, latents)).toEqual(await roughColours());
  });

  test('is previewed by TAESD when that is stored, as diffusers decodes with it, and roughly where memory has no room', async () => {
    const library = await libraryWith();
    const request = { id: previewDecoderId, revision: 'main', token: undefined };
    const offer = await library.inspectModel(request, () => {}, never);
    expect(offer).toMatchObject({ id: previewDecoderId, license: 'mit', storedBytes: 0 });
    expect(offer.sizeBytes).toBeCloseTo(9.8e6, -5);
    const { commit } = offer;
    await library.downloadModel({ id: previewDecoderId, commit, token: undefined }, () => {}, never);

    const given = floats(taesdFixture.inputs.latents);
    const drawn = await paint(pipeline, given.shape as LatentShape, Float32Array.from(given.data));
    const side = given.shape[3]! * 8;
    const pictures = Float32Array.from(floats(taesdFixture.outputs.picture).data);
    const expected = fromPlanarTensor(pictures.subarray(0, 3 * side * side), side, side);
    expect([drawn.width, drawn.height]).toEqual([side, side]);
    drawn.rgba.forEach((level, i) => expect(Math.abs(level - expected[i]!)).toBeLessThanOrEqual(1));

    expect(await paint(pipeline, shape, latents, { spareBytes: 20e6 })).toEqual(await roughColours());
    disk.files.delete([...disk.files.keys()].find((name) => disk.files.get(name)!.length > 1e6)!);
    expect(await paint(pipeline, shape, latents)).toEqual(await roughColours());
    await removeModel(previewDecoderId, disk.root);
    expect(disk.files.size).toBe(0);
  });
});

test('a model with a small decoder is previewed by it, the first picture of a batch', async () => {
  const bundled = new Pipeline(openNodeRuntime(), await bundledModel());
  const size: LatentShape = [2, 4, 8, 12];
  const batch = randn('bundled preview', size);
  const one = bundled.runtime.upload('test', 'float32', [1, 4, 8, 12], batch.slice(0, 4 * 8 * 12));
  expect(await paint(bundled, size, batch)).toEqual(await decodeLatents(bundled, one));
});

test('a repository of that name with something else in it is refused before its weights are fetched', async () => {
  const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const { config } = taesdFixture;
  await expect(inspect({ 'config.json': text({ ...config, latent_channels: 16 }) })).rejects.toMatchObject({
    code: 'unsupported-model',
  });
  await expect(
    inspect({ 'config.json': text({ ...config, num_decoder_blocks: [3, 3, 3, 2] }) }),
  ).rejects.toMatchObject({ code: 'bad-file' });
});
