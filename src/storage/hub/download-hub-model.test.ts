import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryDisk, type MemoryDisk } from '../__fixtures__/memory-directory';
import { listModels, loadModel, removeModel, replaceModel, saveModel, type ModelRecord } from '../models';
import { fetchFrom, files, gated, open, sha256, startTestHub, token, unet } from '../testing/hub-repos';
import type { Fault, Hub, HubRepo } from '../testing/hub-server';
import { downloadHubModel } from './download-hub-model';
import { createHubFetch } from './hub-fetch';
import { findHubModel } from './hub-model';

let hub: Hub;
let disk: MemoryDisk;

beforeEach(async () => {
  hub = await startTestHub();
  disk = createMemoryDisk();
});
afterEach(async () => {
  await hub.close();
  for (const { record } of await listModels(disk.root)) await removeModel(record.id, disk.root);
});

const local = fetchFrom(() => hub);
const wait = () => Promise.resolve();

/** The record of a repository's weights and configs, as an inspection makes it. */
async function recordOf({ id }: HubRepo, token?: string): Promise<ModelRecord> {
  const { signal } = new AbortController();
  const hubFetch = createHubFetch({ model: id, token, fetch: local, signal, wait });
  const model = await findHubModel({ id, revision: 'main' }, hubFetch);
  const chosen = [...files].filter(([path]) => path !== 'README.md');
  return {
    version: 1,
    id,
    addedAt: 1,
    manifest: {
      version: 1,
      id,
      name: id,
      license: 'x',
      files: chosen.map(([path, content]) => ({ path, sizeBytes: content.length, sha256: sha256(content) })),
      resolution: 512,
      sampling: { sampler: 'ddim', steps: 1, guidance: 1, guidanceRescale: 0 },
      training: {},
    },
    source: {
      kind: 'hub',
      commit: model.commit,
      paths: Object.fromEntries(chosen.map(([path]) => [path, path])),
    },
  };
}

type Download = {
  readonly token?: string;
  readonly signal?: AbortSignal;
  readonly freeBytes?: number;
  readonly onProgress?: (loaded: number) => void;
};

async function download(record: ModelRecord, options: Download = {}): Promise<number[]> {
  const { token, signal = new AbortController().signal, freeBytes, onProgress } = options;
  const progress: number[] = [];
  const job = downloadHubModel(record, signal, {
    access: { token, fetch: local, wait },
    root: disk.root,
    freeBytes: () => Promise.resolve(freeBytes),
  });
  for await (const loaded of job) {
    progress.push(loaded);
    onProgress?.(loaded);
  }
  return progress;
}

const total = [...files].reduce((sum, [path, { length }]) => sum + (path === 'README.md' ? 0 : length), 0);
const stored = () =>
  new Map([...disk.files].map(([path, content]) => [path.slice('models/'.length), content]));
/** Name and hash of each stored file, by name. */
const storedHashes = () => [...stored()].map(([name, content]) => [name, sha256(content)]).sort();
const unetHash = sha256(files.get(unet)!);
/** Requests for the bytes of the UNet's file. */
const asked = () =>
  hub.requests.filter(({ path }) => path.includes('/cdn/') && path.endsWith(unet)).map(({ range }) => range);

describe('a download', () => {
  test('brings every file, verified, with real byte counts', async () => {
    const record = await recordOf(open);
    await saveModel(record);
    expect(await listModels(disk.root)).toMatchObject([{ storedBytes: 0, sizeBytes: total, isReady: false }]);
    const progress = await download(record);
    expect(progress.at(-1)).toBe(total);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(storedHashes()).toEqual(record.manifest.files.map((file) => [file.sha256, file.sha256]).sort());
    expect(await listModels(disk.root)).toMatchObject([{ storedBytes: total, isReady: true }]);
    hub.requests.length = 0;
    await download(record);
    expect(hub.requests).toEqual([]);
  });

  test('goes on after breaks where it was', async () => {
    const record = await recordOf(open);
    hub.fail(unet, { kind: 'break', afterBytes: 100_000 }, { kind: 'break', afterBytes: 80_000 });
    expect((await download(record)).at(-1)).toBe(total);
    const starts = asked().map((range) => Number(/\d+/.exec(range ?? 'bytes=0-')![0]));
    expect(starts).toHaveLength(3);
    expect(starts[0]).toBe(0);
    expect(starts[1]).toBeGreaterThan(0);
    expect(starts[2]).toBeGreaterThan(starts[1]!);
    expect(sha256(stored().get(unetHash)!)).toBe(unetHash);
  });

  test('waits as long as a busy hub asks, and goes on where it was', async () => {
    const record = await recordOf(open);
    const busy = { kind: 'status', status: 429, headers: { 'Retry-After': '7' } } as const;
    hub.fail(unet, { kind: 'break', afterBytes: 100_000 }, busy, { kind: 'status', status: 503 });
    const waited: number[] = [];
    const job = downloadHubModel(record, new AbortController().signal, {
      access: { fetch: local, wait: async (ms) => void waited.push(ms / 1000) },
      root: disk.root,
      freeBytes: () => Promise.resolve(undefined),
    });
    while (!(await job.next()).done);
    expect(waited).toEqual([7, 2]);
    expect(asked().slice(1)).toEqual(Array(3).fill(expect.stringMatching(/^bytes=[1-9]\d*-$/)));
    expect(sha256(stored().get(unetHash)!)).toBe(unetHash);
  });

  test('of a slow hub tells many times how far it is', async () => {
    const record = await recordOf(open);
    hub.throttle = 2_000_000;
    const progress = await download(record);
    expect(new Set(progress).size).toBeGreaterThan(4);
    expect(progress.at(-1)).toBe(total);
  });

  test('a pause keeps what came, and the next call asks for the rest alone', async () => {
    const record = await recordOf(open);
    hub.fail(unet, { kind: 'stall', afterBytes: 250_000 });
    const pause = new AbortController();
    const paused = download(record, {
      signal: pause.signal,
      onProgress: (loaded) => loaded > total - 200_000 && pause.abort(), // all but the rest of the UNet,
    });
    await expect(paused).rejects.toMatchObject({ name: 'AbortError' });
    await saveModel(record);
    const [model] = await listModels(disk.root);
    expect(model!.isReady).toBe(false);
    expect(model!.storedBytes).toBeGreaterThan(total - 200_000);
    expect(stored().has(unetHash)).toBe(false); // a part is not a file
    hub.requests.length = 0;
    const progress = await download(record);
    expect(progress.at(-1)).toBe(total);
    expect(asked()).toEqual([expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
  });

  test('three files come at once, not more', async () => {
    const record = await recordOf(open);
    let present = 0;
    let most = 0;
    const counting: typeof fetch = async (input, init) => {
      most = Math.max(most, ++present);
      try {
        const response = await local(input, init);
        return new Response(await response.arrayBuffer(), response);
      } finally {
        present--;
      }
    };
    const job = downloadHubModel(record, new AbortController().signal, {
      access: { fetch: counting, wait },
      root: disk.root,
      freeBytes: () => Promise.resolve(undefined),
    });
    while (!(await job.next()).done);
    expect(most).toBe(3);
  });

  test('what cannot fit is refused before the first byte, what is there already counts', async () => {
    const record = await recordOf(open);
    hub.requests.length = 0;
    await expect(download(record, { freeBytes: total - 1 })).rejects.toMatchObject({
      code: 'storage-full',
      details: { neededBytes: total, freeBytes: total - 1 },
    });
    expect(hub.requests).toEqual([]);
    disk.files.set(`models/${unetHash}`, files.get(unet)!.slice());
    await download(record, { freeBytes: total - 300_000 });
    expect(asked()).toEqual([]);
  });

  test('a disk that fills up on the way keeps what came', async () => {
    const record = await recordOf(open);
    disk.quotaBytes = 300_000;
    await expect(download(record)).rejects.toMatchObject({ code: 'storage-full' });
    disk.quotaBytes = Infinity;
    const kept = [...stored().values()].reduce((sum, { length }) => sum + length, 0);
    expect(kept).toBeGreaterThan(100_000);
    expect((await download(record)).at(-1)).toBe(total);
  });

  test('without a place for files nothing is held in memory', async () => {
    const record = await recordOf(open);
    const job = downloadHubModel(record, new AbortController().signal, {
      access: { fetch: local, wait },
      root: () => Promise.resolve(undefined),
      freeBytes: () => Promise.resolve(undefined),
    });
    await expect(job.next()).rejects.toMatchObject({ code: 'storage-failed' });
  });
});

describe('what goes wrong has its word, and no wrong byte is kept', () => {
  const times = (count: number, fault: Fault): Fault[] => Array.from({ length: count }, () => fault);

  test.each<[string, readonly Fault[], object]>([
    [
      'wrong content',
      [{ kind: 'wrong' }],
      { code: 'hub-wrong-file', details: { file: unet, reason: 'hash' } },
    ],
    [
      'a byte too many',
      [{ kind: 'long' }],
      { code: 'hub-wrong-file', details: { file: unet, reason: 'size' } },
    ],
    [
      'an answer cut short for good',
      times(3, { kind: 'short', bytes: 0 }),
      { code: 'hub-wrong-file', details: { file: unet, reason: 'size' } },
    ],
    [
      'a line that breaks before the first byte',
      times(9, { kind: 'break', afterBytes: 0 }),
      { code: 'hub-unreachable', details: { model: open.id } },
    ],
    ['404', [{ kind: 'status', status: 404 }], { code: 'hub-missing', details: { model: open.id } }],
    ['401', [{ kind: 'status', status: 401 }], { code: 'hub-sign-in', details: { hasToken: false } }],
    ['403', [{ kind: 'status', status: 403 }], { code: 'hub-gated', details: { hasToken: false } }],
    ['418', [{ kind: 'status', status: 418 }], { code: 'hub-unreachable', details: { status: 418 } }],
    [
      '429 for ever',
      times(6, { kind: 'status', status: 429 }),
      { code: 'hub-busy', details: { status: 429 } },
    ],
    [
      '503 for ever',
      times(6, { kind: 'status', status: 503 }),
      { code: 'hub-busy', details: { status: 503 } },
    ],
    ['a page instead', [{ kind: 'page' }], { code: 'hub-missing' }],
  ])('%s', async (_, faults, error) => {
    const record = await recordOf(open);
    hub.fail(unet, ...faults);
    await expect(download(record)).rejects.toMatchObject(error);
    expect(stored().has(unetHash)).toBe(false);
    expect(stored().get(`${unetHash}.part`)?.length ?? 0).toBe(0);
  });

  test('a failure stops the other files, which keep what came', async () => {
    const record = await recordOf(open);
    hub.fail(unet, { kind: 'stall', afterBytes: 100_000 });
    hub.fail('vae/diffusion_pytorch_model.safetensors', { kind: 'status', status: 404 });
    await expect(download(record)).rejects.toMatchObject({ code: 'hub-missing' });
    expect(stored().has(unetHash)).toBe(false);
    expect((await download(record)).at(-1)).toBe(total); // their files were let go of
  });

  test('a damaged part is found out after the last byte, and loaded again', async () => {
    const record = await recordOf(open);
    disk.files.set(`models/${unetHash}.part`, new Uint8Array(200_000));
    await download(record);
    expect(asked()).toEqual(['bytes=200000-', undefined]);
    expect(sha256(stored().get(unetHash)!)).toBe(unetHash);
  });
});

describe('a token', () => {
  test('opens a gated model, and goes to the hub alone', async () => {
    const record = await recordOf(gated, token);
    expect((await download(record, { token })).at(-1)).toBe(total);
    const cdn = hub.requests.filter(({ host }) => host.startsWith('localhost'));
    expect(cdn).toHaveLength(3);
    expect(cdn.map(({ authorization }) => authorization)).toEqual([undefined, undefined, undefined]);
    expect(hub.requests.filter(({ path }) => path.includes(token))).toEqual([]);
  });
});

describe('stored models', () => {
  test('that share a file share its bytes, and it goes with the last of them', async () => {
    const record = await recordOf(open);
    const { files: all } = record.manifest;
    const half = { ...record, id: 'maker/half', manifest: { ...record.manifest, files: all.slice(0, 3) } };
    await saveModel(record);
    await saveModel(half);
    await download(record);
    expect((await listModels(disk.root)).map(({ isReady }) => isReady)).toEqual([true, true]);
    await removeModel(record.id, disk.root);
    expect([...stored().keys()].sort()).toEqual(
      all
        .slice(0, 3)
        .map(({ sha256 }) => sha256)
        .sort(),
    );
    await removeModel(half.id, disk.root);
    expect(stored().size).toBe(0);
    expect(await listModels(disk.root)).toEqual([]);
  });

  test('of a newer commit take the place of the older one', async () => {
    const record = await recordOf(open);
    await saveModel(record);
    await download(record);
    const newer = { ...record, manifest: { ...record.manifest, files: record.manifest.files.slice(1) } };
    await replaceModel(newer, disk.root);
    expect(await loadModel(record.id)).toEqual(newer);
    expect(stored().size).toBe(record.manifest.files.length - 1);
  });
});
