import 'fake-indexeddb/auto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryDisk, type MemoryDisk } from '../storage/__fixtures__/memory-directory';
import { listModels, loadModel, removeModel } from '../storage/models';
import { fetchFrom, startTestHub } from '../storage/testing/hub-repos';
import type { Hub } from '../storage/testing/hub-server';
import type { DownloadEvent, LibraryApi, ModelOffer } from './contract';
import { loadBaseModel } from './load-model';
import type { Component } from './model-parts';
import type { ErrorCode } from '../base/errors';
import { halfToFloat } from '../base/float16';
import type { ParameterSource } from '../runtime/runtime';
import { openSafetensors, writeSafetensors, type TensorToWrite } from '../weights/safetensors';
import { archive, checkpoint, dictionary, text as words, tuple } from '../weights/testing/torch-file';
import { createLibrary } from './model-library';
import { adviseSampling } from './sampling-advice';
import { bundledFolder, bundledModel } from './testing/bundled';

const unet = 'unet/diffusion_pytorch_model.safetensors';
const never = new AbortController().signal;
const silent = () => {};
const text = (words: string) => new TextEncoder().encode(words);

/** The bundled model, as a repository of the hub. */
const files = new Map<string, Uint8Array>();
let hub: Hub;
let disk: MemoryDisk;
let library: LibraryApi;

afterAll(() => hub.close());
beforeAll(async () => {
  const { manifest } = await bundledModel();
  for (const { path } of manifest.files) files.set(path, await readFile(join(bundledFolder, path)));
});

/** Opens a hub whose one repository is the bundled model with `changes`: other files, or none where undefined. */
async function serve(changes: Readonly<Record<string, Uint8Array | undefined>> = {}): Promise<void> {
  const changed = new Map([...files, ...Object.entries(changes)]);
  const there = [...changed].filter((entry): entry is [string, Uint8Array] => entry[1] !== undefined);
  await hub?.close();
  hub = await startTestHub([{ id: 'maker/tiny', files: new Map(there), license: 'cc-by-sa-4.0' }]);
}

beforeEach(async () => {
  disk = createMemoryDisk();
  library = createLibrary({
    fetch: fetchFrom(() => hub),
    wait: async () => {},
    root: disk.root,
    freeBytes: () => Promise.resolve(1e9),
    now: () => 5,
  });
});
afterEach(async () => {
  for (const { record } of await listModels(disk.root)) await removeModel(record.id, disk.root);
});

const inspect = (): Promise<ModelOffer> =>
  library.inspectModel({ id: 'maker/tiny', revision: 'main', token: undefined }, silent, never);

describe('a model of the hub', () => {
  test('is inspected by kilobytes, and nothing of it is stored', async () => {
    await serve();
    const offer = await inspect();
    const sizeBytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);
    expect(offer).toEqual({
      id: 'maker/tiny',
      commit: expect.stringMatching(/^[0-9a-f]{40}$/) as string,
      license: 'cc-by-sa-4.0',
      resolution: 64,
      isGated: false,
      sizeBytes,
      storedBytes: 0,
      freeBytes: 1e9,
    });
    const ranges = hub.requests.filter(({ path }) => path.endsWith('.safetensors'));
    expect(ranges.every(({ range }) => /^bytes=\d+-\d+$/.test(range ?? ''))).toBe(true);
    const weightBytes = ranges
      .filter(({ path }) => path.includes('/cdn/'))
      .map(({ range }) => {
        const [first, last] = range!.slice('bytes='.length).split('-').map(Number);
        return last! - first! + 1;
      })
      .reduce((sum, count) => sum + count, 0);
    expect(weightBytes).toBeLessThan(100_000); // of 24 MB
    expect(disk.files.size).toBe(0);
    expect(await listModels(disk.root)).toEqual([]);
  });

  test('is downloaded, and loaded by its manifest as the bundled one is', async () => {
    await serve({ 'tokenizer/special_tokens_map.json': undefined });
    const { id, commit, sizeBytes } = await inspect();
    const events: DownloadEvent[] = [];
    await library.downloadModel({ id, commit, token: undefined }, (event) => void events.push(event), never);
    expect(events.at(-1)).toEqual({
      kind: 'download-progress',
      loadedBytes: sizeBytes,
      totalBytes: sizeBytes,
    });
    const record = (await loadModel(id))!;
    expect(record).toMatchObject({ addedAt: 5, source: { kind: 'hub', commit } });
    expect(record.manifest).toMatchObject({
      id,
      name: 'tiny',
      resolution: 64,
      sampling: { sampler: 'ddim', steps: 30, guidance: 7.5, guidanceRescale: 0.7 },
    });
    const source = { fetch: () => Promise.reject(new Error('not asked')), root: disk.root };
    const job = loadBaseModel(id, new URL('https://example.org/'), never, source);
    let step = await job.next();
    while (!step.done) step = await job.next();
    const bundled = await bundledModel();
    expect(step.value.layers).toEqual(bundled.layers);
    expect(step.value.tokenizer.encode('a toy')).toEqual(bundled.tokenizer.encode('a toy'));
    const [one, other] = [step.value, bundled].map(({ sources }) => sources.unet[0]!);
    expect(await one!.read()).toEqual(await other!.read());
  });

  describe('whose weights come otherwise', () => {
    const stem = 'unet/diffusion_pytorch_model';
    const index = `${stem}.safetensors.index.json`;
    const half = `${stem}.safetensors.index.fp16.json`;

    const tensorsOf = async (path: string): Promise<TensorToWrite[]> => {
      const { tensors } = await openSafetensors(
        new Blob([files.get(path)! as Uint8Array<ArrayBuffer>]),
        path,
      );
      const read = [...tensors].map(async ([name, tensor]) => ({
        name,
        dtype: tensor.dtype,
        shape: tensor.shape,
        data: await tensor.read(),
      }));
      return Promise.all(read);
    };
    type Changes = Readonly<Record<string, Uint8Array | undefined>>;
    const twoFiles = async (): Promise<Changes> => {
      const tensors = await tensorsOf(unet);
      const parts = [tensors.slice(0, 50), tensors.slice(50)];
      const names = parts.map((_, i) => `diffusion_pytorch_model.fp16-0000${i + 1}-of-00002.safetensors`);
      const map = parts.flatMap((part, i) => part.map(({ name }) => [name, names[i]!]));
      return {
        ...Object.fromEntries(parts.map((part, i) => [`unet/${names[i]!}`, writeSafetensors(part)])),
        [half]: text(JSON.stringify({ weight_map: Object.fromEntries(map) as unknown })),
        [unet]: undefined,
      };
    };
    const pickle = async (): Promise<Changes> => {
      const path = 'text_encoder/model.safetensors';
      const tensors = (await tensorsOf(path)).map(({ data, ...tensor }) => ({
        ...tensor,
        dtype: 'F32' as const,
        data: halfToFloat(new Uint16Array((data as Uint8Array<ArrayBuffer>).buffer)),
      }));
      const file = await checkpoint(tensors).arrayBuffer();
      return { 'text_encoder/pytorch_model.bin': new Uint8Array(file), [path]: undefined };
    };
    const floatsOf = async (source: ParameterSource) => {
      const { buffer } = (await source.read()) as Uint8Array<ArrayBuffer>;
      return source.type === 'float16' ? halfToFloat(new Uint16Array(buffer)) : new Float32Array(buffer);
    };

    test.each<[string, Component, () => Promise<Changes>, readonly string[]]>([
      [
        'in two files of half precision',
        'unet',
        twoFiles,
        [index, `${stem}-00001-of-00002.safetensors`, `${stem}-00002-of-00002.safetensors`],
      ],
      ['as a pickle', 'text_encoder', pickle, ['text_encoder/pytorch_model.bin']],
    ])('%s is inspected by kilobytes, downloaded and loaded', async (_, component, changes, names) => {
      await serve(await changes());
      const { id, commit } = await inspect();
      const ranges = hub.requests
        .filter(({ path }) => path.includes('/cdn/') && path.includes(`/${component}/`))
        .map(({ range }) => /^bytes=(\d+)-(\d+)$/.exec(range ?? '')!);
      expect(ranges.length).toBeLessThan(12); // not one for each tensor
      const bytes = ranges.reduce((sum, [, first, last]) => sum + Number(last) - Number(first) + 1, 0);
      expect(bytes).toBeLessThan(150_000); // of megabytes
      await library.downloadModel({ id, commit, token: undefined }, silent, never);
      const paths = (await loadModel(id))!.manifest.files.map(({ path }) => path);
      const isWeights = (path: string) => path.startsWith(`${component}/`) && !path.endsWith('/config.json');
      expect(paths.filter(isWeights)).toEqual(names);

      const source = { fetch: () => Promise.reject(new Error('not asked')), root: disk.root };
      const job = loadBaseModel(id, new URL('https://example.org/'), never, source);
      let step = await job.next();
      while (!step.done) step = await job.next();
      const wanted = new Map((await bundledModel()).sources[component].map((one) => [one.name, one]));
      for (const one of step.value.sources[component]) {
        const [found, expected] = [await floatsOf(one), await floatsOf(wanted.get(one.name)!)];
        const difference = Buffer.compare(new Uint8Array(found.buffer), new Uint8Array(expected.buffer));
        expect([one.name, difference]).toEqual([one.name, 0]);
      }
    });

    test('and are not what they should be is refused after kilobytes', async () => {
      const shards = await twoFiles();
      const second = `unet/diffusion_pytorch_model.fp16-00002-of-00002.safetensors`;
      await serve({ ...shards, [second]: undefined });
      await expect(inspect()).rejects.toMatchObject({
        code: 'bad-file',
        details: {
          file: index,
          reason: `it names ${stem}-00002-of-00002.safetensors, which is missing`,
        },
      });
      const bomb = archive(dictionary(`cos\nsystem\n${tuple(words('exit 1'))}R`));
      for (const [content, reason] of [
        [new Uint8Array(await bomb.arrayBuffer()), 'it wants "os.system" to be run'],
        [await readFile(new URL('../weights/__fixtures__/torch-legacy.pt', import.meta.url)), 'before 2020'],
        [
          await readFile(new URL('../weights/__fixtures__/torch-compressed.bin', import.meta.url)),
          'is compressed',
        ],
      ] as const) {
        await serve({ [`${stem}.bin`]: content, [unet]: undefined });
        await expect(inspect()).rejects.toMatchObject({
          code: 'bad-file',
          details: { file: `${stem}.bin`, reason: expect.stringContaining(reason) as string },
        });
      }
      expect(disk.files.size).toBe(0);
    });
  });

  test('goes on without another look at the hub’s list', async () => {
    await serve();
    const { id, commit, sizeBytes } = await inspect();
    const pause = new AbortController();
    hub.fail(unet, { kind: 'stall', afterBytes: 4e6 });
    const stalled = sizeBytes - files.get(unet)!.length + 3e6;
    const emit = ({ loadedBytes }: DownloadEvent) => void (loadedBytes > stalled && pause.abort());
    const request = { id, commit, token: undefined };
    await expect(library.downloadModel(request, emit, pause.signal)).rejects.toMatchObject({
      name: 'AbortError',
    });
    const [partial] = await listModels(disk.root);
    expect(partial!.isReady).toBe(false);
    expect(partial!.storedBytes).toBeGreaterThan(stalled);
    hub.requests.length = 0;
    await library.downloadModel(request, silent, never);
    expect(hub.requests.filter(({ path }) => path.startsWith('/api/'))).toEqual([]);
    expect((await listModels(disk.root))[0]!.isReady).toBe(true);
  });

  test('that is not whole cannot be loaded', async () => {
    await serve();
    const { id, commit } = await inspect();
    await library.downloadModel({ id, commit, token: undefined }, silent, never);
    disk.files.delete([...disk.files.keys()][0]!);
    const source = { fetch, root: disk.root };
    for (const model of [id, 'maker/other']) {
      const job = loadBaseModel(model, new URL('https://example.org/'), never, source);
      await expect(job.next().then(() => job.next())).rejects.toMatchObject({
        code: 'model-missing',
        details: { model },
      });
    }
  });
});

describe('a model that cannot be used is refused before any weight is fetched', () => {
  const index = (name: string) => ({ 'model_index.json': text(JSON.stringify({ _class_name: name })) });
  const header = (length: bigint, rest = '') => {
    const bytes = new Uint8Array(1000);
    new DataView(bytes.buffer).setBigUint64(0, length, true);
    bytes.set(text(rest), 8);
    return bytes;
  };
  const tensors = (...entries: readonly (readonly [string, number, number])[]) => {
    const json = Object.fromEntries(
      entries.map(([name, begin, end]) => [name, { dtype: 'F32', shape: [4], data_offsets: [begin, end] }]),
    );
    const words = JSON.stringify(json);
    return header(BigInt(words.length), words).slice(0, 8 + words.length + 32);
  };

  /** The same file, but for the number type that its header gives the first tensor. */
  const withWholeNumbers = (file: Buffer) => {
    file.write('"I16"', file.indexOf('"F16"'));
    return file;
  };

  test.each<[string, Readonly<Record<string, Uint8Array | undefined>>, ErrorCode, string]>([
    [
      'SDXL',
      index('StableDiffusionXLPipeline'),
      'unsupported-model',
      'it is Stable Diffusion XL (StableDiffusionXLPipeline); Stable Diffusion 1.x and 2.x are read',
    ],
    [
      'Flux, whose folders are others',
      { ...index('FluxPipeline'), 'unet/config.json': undefined, [unet]: undefined },
      'unsupported-model',
      'it is FLUX (FluxPipeline); Stable Diffusion 1.x and 2.x are read',
    ],
    [
      'a pipeline that nobody knows, without a UNet',
      { ...index('WanPipeline'), 'unet/config.json': undefined, [unet]: undefined },
      'unsupported-model',
      'it is WanPipeline; Stable Diffusion 1.x and 2.x are read',
    ],
    ['an index that is no JSON', { 'model_index.json': text('<html>') }, 'bad-file', 'it is not JSON'],
    [
      'another kind of UNet',
      { 'unet/config.json': text('{"_class_name": "UNet2DModel"}') },
      'unsupported-model',
      'UNet: sample_size',
    ],
    ['a header of 2^63 bytes', { [unet]: header(2n ** 63n) }, 'bad-file', 'it is not a safetensors file'],
    [
      'offsets beyond the end',
      { [unet]: tensors(['a', 0, 16], ['b', 4e9, 4e9 + 16]) },
      'bad-file',
      'an offset of "b" points outside the file',
    ],
    [
      'offsets that overlap',
      { [unet]: tensors(['a', 0, 16], ['b', 8, 24]) },
      'bad-file',
      '"b" shares bytes with another tensor',
    ],
    [
      'tensors missing',
      { [unet]: tensors(['a', 0, 16], ['b', 16, 32]) },
      'bad-file',
      'weights these are missing: "time_embedding.linear_1.bias"',
    ],
    [
      'whole numbers for weights',
      {
        [unet]: withWholeNumbers(readFileSync(join(bundledFolder, unet))),
      },
      'bad-file',
      'holds I16 numbers',
    ],
    [
      'a web page for weights',
      { [unet]: text('<!doctype html><title>no</title>') },
      'bad-file',
      'it is a web page, not a weights file',
    ],
  ])('%s', async (_, changes, code, reason) => {
    await serve(changes);
    await expect(inspect()).rejects.toMatchObject({
      code,
      details: { reason: expect.stringContaining(reason) as string },
    });
    const whole = hub.requests.filter(
      ({ path, range }) => path.endsWith('.safetensors') && !/^bytes=\d+-\d+$/.test(range ?? ''),
    );
    expect(whole).toEqual([]);
    expect(disk.files.size).toBe(0);
  });
});

test('drawing starts as the scheduler’s config and the makers advise', () => {
  const config = (name: string, more = {}) => JSON.stringify({ _class_name: name, ...more });
  expect(adviseSampling('a/b', config('PNDMScheduler'))).toEqual({
    sampler: 'pndm',
    steps: 30,
    guidance: 7.5,
    guidanceRescale: 0,
  });
  expect(adviseSampling('a/b', config('EulerAncestralDiscreteScheduler')).sampler).toBe('euler-ancestral');
  expect(
    adviseSampling('a/b', config('DDIMScheduler', { rescale_betas_zero_snr: true })).guidanceRescale,
  ).toBe(0.7);
  expect(adviseSampling('a/b', config('SomethingNewScheduler')).sampler).toBe('ddim');
  expect(adviseSampling('a/b', config('LCMScheduler'))).toMatchObject({
    sampler: 'lcm',
    steps: 8,
    guidance: 1,
  });
  expect(adviseSampling('SimianLuo/LCM_Dreamshaper_v7', config('LCMScheduler'), true)).toMatchObject({
    sampler: 'lcm',
    steps: 8,
    guidance: 8, // an input of its UNet, not a second pass
  });
  expect(adviseSampling('a/b', config('TCDScheduler'))).toMatchObject({
    sampler: 'tcd',
    steps: 4,
    guidance: 1,
  });
  expect(adviseSampling('stabilityai/sd-turbo', config('EulerDiscreteScheduler'))).toMatchObject({
    sampler: 'euler',
    steps: 1,
    guidance: 1,
  });
});
