// Models in files: the bundled one as a folder, and files that are no model.
import 'fake-indexeddb/auto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryDisk, type MemoryDisk } from '../storage/__fixtures__/memory-directory';
import { listModels, loadModel, removeModel } from '../storage/models';
import { writeSafetensors } from '../weights/safetensors';
import type { DownloadEvent } from './contract';
import { importModel, type GivenFile } from './import-model';
import { loadBaseModel } from './load-model';
import { stableDiffusion1 } from '../models/presets/stable-diffusion';
import { bundledFolder, bundledModel } from './testing/bundled';
import { shapesInFile, zeroFile } from './testing/real-size';

const never = new AbortController().signal;
let disk: MemoryDisk;
let freeBytes: number;

beforeEach(() => {
  disk = createMemoryDisk();
  freeBytes = 1e9;
});
afterEach(async () => {
  for (const { record } of await listModels(disk.root)) await removeModel(record.id, disk.root);
});

const noNetwork = () => Promise.reject(new Error('nobody is asked'));

async function bring(
  given: readonly GivenFile[],
  signal = never,
  fetch: typeof globalThis.fetch = noNetwork,
) {
  const source = {
    fetch,
    root: disk.root,
    freeBytes: () => Promise.resolve(freeBytes),
    now: () => 5,
  };
  const job = importModel(given, signal, source);
  const events: DownloadEvent[] = [];
  for (;;) {
    const next = await job.next();
    if (next.done) return { id: next.value, events };
    events.push(next.value);
  }
}

/** The bundled model as a person drops it: its folder, with what else lies there. */
async function folder(): Promise<GivenFile[]> {
  const { manifest } = await bundledModel();
  const files = manifest.files.map(async ({ path }) => ({
    path: `My model/${path}`,
    file: new Blob([await readFile(join(bundledFolder, path))]),
  }));
  return [...(await Promise.all(files)), { path: 'My model/README.md', file: new Blob(['words']) }];
}

describe('a folder in diffusers’ layout', () => {
  test('is copied whole, by hash, and loaded without the files', async () => {
    const given = await folder();
    const { id, events } = await bring(given);
    expect(id).toBe('local/My model');
    const { manifest } = await bundledModel();
    const sizeBytes = manifest.files.reduce((sum, file) => sum + file.sizeBytes, 0);
    expect(events.at(-1)).toEqual({
      kind: 'download-progress',
      loadedBytes: sizeBytes,
      totalBytes: sizeBytes,
    });
    const record = (await loadModel(id))!;
    expect(record).toMatchObject({ addedAt: 5, source: { kind: 'files' }, manifest: { resolution: 64 } });
    const hashes = (files: typeof manifest.files) =>
      files.map(({ path, sha256 }) => `${path} ${sha256}`).sort();
    expect(hashes(record.manifest.files)).toEqual(hashes(manifest.files));
    expect([...disk.files.keys()].map((path) => path.split('/').at(-1)).sort()).toEqual(
      [...new Set(manifest.files.map(({ sha256 }) => sha256))].sort(),
    );

    const job = loadBaseModel(id, new URL('https://example.org/'), never, {
      fetch: noNetwork,
      root: disk.root,
    });
    for (;;) {
      const next = await job.next();
      if (!next.done) continue;
      expect(next.value.schedule.predictionType).toBe('v_prediction');
      expect(next.value.sources.unet.length).toBeGreaterThan(100);
      break;
    }
  });

  test.each([
    ['StableDiffusionXLPipeline', 'it is Stable Diffusion XL (StableDiffusionXLPipeline)'],
    ['StableDiffusionXLInpaintPipeline', 'it is Stable Diffusion XL (StableDiffusionXLInpaintPipeline)'],
    ['FluxPipeline', 'it is FLUX (FluxPipeline)'],
    ['StableDiffusionInpaintPipeline', 'it is an inpainting model (StableDiffusionInpaintPipeline)'],
    ['WanPipeline', 'it is WanPipeline'],
  ])('of a %s is refused by its name', async (name, what) => {
    const index = new Blob([JSON.stringify({ _class_name: name })]);
    const rest = (await folder()).filter(({ path }) => !/model_index|\/unet\//.test(path));
    await expect(bring([{ path: 'My model/model_index.json', file: index }, ...rest])).rejects.toMatchObject({
      code: 'unsupported-model',
      details: { file: 'model_index.json', reason: `${what}; Stable Diffusion 1.x and 2.x are read` },
    });
    expect(disk.files.size).toBe(0);
  });

  test('with a pipeline of its maker’s around the usual parts is taken, and without any', async () => {
    const index = new Blob([JSON.stringify({ _class_name: 'MyPipeline' })]);
    const rest = (await folder()).filter(({ path }) => !path.endsWith('model_index.json'));
    expect((await bring([...rest, { path: 'My model/model_index.json', file: index }])).id).toBe(
      'local/My model',
    );
    expect((await bring(rest)).id).toBe('local/My model');
  });

  test('with a file missing is refused, and nothing is copied', async () => {
    const given = (await folder()).filter(({ path }) => !path.endsWith('vae/config.json'));
    await expect(bring(given)).rejects.toMatchObject({
      code: 'unsupported-model',
      details: { reason: 'there is no vae/config.json' },
    });
    expect([disk.files.size, await listModels(disk.root)]).toEqual([0, []]);
  });

  test('for which there is no room is refused with figures', async () => {
    freeBytes = 1000;
    await expect(bring(await folder())).rejects.toMatchObject({
      code: 'storage-full',
      details: { freeBytes: 1000 },
    });
    expect(disk.files.size).toBe(0);
  });

  test('stopped in the middle leaves no model', async () => {
    const controller = new AbortController();
    controller.abort();
    await expect(bring(await folder(), controller.signal)).rejects.toMatchObject({ name: 'AbortError' });
    expect(await listModels(disk.root)).toEqual([]);
  });
});

test.each([
  [418, 'hub-unreachable'],
  [404, 'hub-missing'],
])('one file whose vocabulary is answered with %d leaves nothing', async (status, code) => {
  const file = zeroFile(shapesInFile(stableDiffusion1, 'clip')); // told apart before the vocabulary is asked for
  const fetch = () => Promise.resolve(new Response('', { status }));
  await expect(bring([{ path: 'a.safetensors', file }], never, fetch)).rejects.toMatchObject({
    code,
    details: { model: 'openai/clip-vit-large-patch14' },
  });
  expect([disk.files.size, await listModels(disk.root)]).toEqual([0, []]);
});

describe('what is no model', () => {
  test('neither weights nor a folder', async () => {
    await expect(bring([{ path: 'notes.txt', file: new Blob(['x']) }])).rejects.toMatchObject({
      code: 'bad-file',
      details: {
        file: 'notes.txt',
        reason: 'there is neither a folder in diffusers layout nor a file of weights',
      },
    });
  });

  test('a LoRA is refused by its name before the vocabulary is asked for', async () => {
    const bytes = writeSafetensors(
      [{ name: 'lora_unet_mid.lora_down.weight', dtype: 'F32', shape: [1], data: new Float32Array(1) }],
      {},
    );
    await expect(bring([{ path: 'a.safetensors', file: new Blob([bytes]) }])).rejects.toMatchObject({
      code: 'bad-file',
      details: { reason: expect.stringContaining('a LoRA') as string },
    });
  });
});
