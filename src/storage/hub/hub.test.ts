import 'fake-indexeddb/auto';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryDisk, type MemoryDisk } from '../__fixtures__/memory-directory';
import { listModels, loadModel, removeModel, replaceModel, saveModel, type ModelRecord } from '../models';
import { startHub, type Fault, type Hub, type HubRepo } from '../testing/hub-server';
import { downloadHubModel } from './download-hub-model';
import { createHubFetch, hubOrigin } from './hub-fetch';
import { findHubModel, openHubFile, readHubFile } from './hub-model';

const bytes = (length: number, seed: number) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed) % 251);
const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');

const token = 'hf_canary';
const unet = 'unet/diffusion_pytorch_model.safetensors';
const files = new Map([
  ['README.md', bytes(40, 1)],
  ['model_index.json', bytes(300, 2)],
  ['unet/config.json', bytes(500, 3)],
  ['vae/config.json', bytes(400, 4)],
  ['text_encoder/model.safetensors', bytes(90_000, 5)],
  [unet, bytes(300_000, 6)],
  ['vae/diffusion_pytorch_model.safetensors', bytes(70_000, 7)],
]);
const open: HubRepo = { id: 'maker/open', files, license: 'openrail' };
const gated: HubRepo = { id: 'maker/gated', files, token };
const hidden: HubRepo = { id: 'maker/hidden', files, token, isPrivate: true };

let hub: Hub;
let disk: MemoryDisk;
let waited: number[];

beforeEach(async () => {
  hub = await startHub([open, gated, hidden], { cdn: (port) => `http://localhost:${port}` });
  disk = createMemoryDisk();
  waited = [];
});
afterEach(async () => {
  await hub.close();
  for (const { record } of await listModels(disk.root)) await removeModel(record.id, disk.root);
});

/** The hub's own addresses lead to the server of this test. */
const local: typeof fetch = (input, init) => {
  const request = new Request(input, init);
  return fetch(new Request(request.url.replace(hubOrigin, `http://127.0.0.1:${hub.port}`), request));
};
const wait = async (ms: number) => void waited.push(ms / 1000);

type Who = { readonly token?: string; readonly signal?: AbortSignal };
const hubFetch = (model: string, { token, signal = new AbortController().signal }: Who = {}) =>
  createHubFetch({ model, token, fetch: local, signal, wait });

/** The record of a repository's weights and configs, as an inspection makes it. */
async function recordOf({ id }: HubRepo, who: Who = {}): Promise<ModelRecord> {
  const model = await findHubModel({ id, revision: 'main' }, hubFetch(id, who));
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

type Download = Who & { readonly freeBytes?: number; readonly onProgress?: (loaded: number) => void };

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

describe('a model on the hub', () => {
  test('is found at a commit, with every file’s size and hash', async () => {
    const model = await findHubModel({ id: open.id, revision: 'main' }, hubFetch(open.id));
    expect(model).toMatchObject({ id: open.id, license: 'openrail', isGated: false });
    expect(model.commit).toMatch(/^[0-9a-f]{40}$/);
    expect(model.files.map(({ path }) => path)).toEqual([...files.keys()]); // of both pages
    expect(model.files.find(({ path }) => path === unet)).toMatchObject({
      sizeBytes: 300_000,
      sha256: unetHash,
    });
    expect(model.files[1]!.sha256).toBeUndefined();
  });

  test('a small file is checked by git’s hash', async () => {
    const fetch = hubFetch(open.id);
    const model = await findHubModel({ id: open.id, revision: 'main' }, fetch);
    const config = model.files.find(({ path }) => path === 'unet/config.json')!;
    expect(await readHubFile(model, config, fetch)).toEqual(files.get('unet/config.json'));
    for (const [fault, reason] of [
      [{ kind: 'wrong' }, 'hash'],
      [{ kind: 'long' }, 'size'],
    ] as const) {
      hub.fail(config.path, fault);
      await expect(readHubFile(model, config, fetch)).rejects.toMatchObject({
        code: 'hub-wrong-file',
        details: { model: open.id, file: config.path, reason },
      });
    }
  });

  test('of a large file only the bytes that are asked for travel', async () => {
    const fetch = hubFetch(open.id);
    const model = await findHubModel({ id: open.id, revision: 'main' }, fetch);
    const file = model.files.find(({ path }) => path === unet)!;
    const blob = await openHubFile(model, file, fetch);
    expect(blob.size).toBe(300_000);
    const part = new Uint8Array(await blob.slice(8, 60).arrayBuffer());
    expect(part).toEqual(files.get(unet)!.slice(8, 60));
    expect(asked()).toEqual(['bytes=8-59']);
    hub.fail(unet, { kind: 'no-ranges' });
    await expect(blob.slice(8, 60).arrayBuffer()).rejects.toMatchObject({ code: 'hub-wrong-file' });
  });
});

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

  test('a pause keeps what came, and the next call asks for the rest alone', async () => {
    const record = await recordOf(open);
    hub.throttle = 2_000_000;
    const pause = new AbortController();
    const paused = download(record, {
      signal: pause.signal,
      onProgress: (loaded) => loaded > 200_000 && pause.abort(),
    });
    await expect(paused).rejects.toMatchObject({ name: 'AbortError' });
    await saveModel(record);
    const [model] = await listModels(disk.root);
    expect(model!.isReady).toBe(false);
    expect(model!.storedBytes).toBeGreaterThanOrEqual(200_000);
    expect(stored().has(unetHash)).toBe(false); // a part is not a file
    hub.throttle = undefined;
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
    hub.throttle = 400_000;
    hub.fail('vae/diffusion_pytorch_model.safetensors', { kind: 'status', status: 404 });
    await expect(download(record)).rejects.toMatchObject({ code: 'hub-missing' });
    expect(stored().has(unetHash)).toBe(false);
    hub.throttle = undefined;
    expect((await download(record)).at(-1)).toBe(total); // their files were let go of
  });

  test('a damaged part is found out after the last byte, and loaded again', async () => {
    const record = await recordOf(open);
    disk.files.set(`models/${unetHash}.part`, new Uint8Array(200_000));
    await download(record);
    expect(asked()).toEqual(['bytes=200000-', undefined]);
    expect(sha256(stored().get(unetHash)!)).toBe(unetHash);
  });

  test.each<[string, Readonly<Record<string, string>>, number[]]>([
    ['seconds', { 'Retry-After': '7' }, [7, 7]],
    [
      'a date',
      { Date: 'Wed, 21 Oct 2026 07:28:00 GMT', 'Retry-After': 'Wed, 21 Oct 2026 07:28:30 GMT' },
      [30, 30],
    ],
    ['nothing', {}, [1, 2]],
  ])('429 is waited out as it says: %s', async (_, headers, seconds) => {
    hub.fail('api', { kind: 'status', status: 429, headers }, { kind: 'status', status: 429, headers });
    await findHubModel({ id: open.id, revision: 'main' }, hubFetch(open.id));
    expect(waited).toEqual(seconds);
  });

  test('a long Retry-After is told instead of waited', async () => {
    hub.fail('api', { kind: 'status', status: 429, headers: { 'Retry-After': '900' } });
    await expect(findHubModel({ id: open.id, revision: 'main' }, hubFetch(open.id))).rejects.toMatchObject({
      code: 'hub-busy',
      details: { model: open.id, status: 429, retryAfterSeconds: 900 },
    });
    expect(waited).toEqual([]);
  });

  test('no network: tried five more times', async () => {
    const fetch = createHubFetch({
      model: open.id,
      fetch: () => Promise.reject(new TypeError('fetch failed')),
      signal: new AbortController().signal,
      wait,
    });
    await expect(findHubModel({ id: open.id, revision: 'main' }, fetch)).rejects.toMatchObject({
      code: 'hub-unreachable',
    });
    expect(waited).toEqual([1, 2, 4, 8, 16]);
  });

  test.each<[string, Fault, string]>([
    ['a page', { kind: 'page' }, 'hub-unreachable'],
    ['404', { kind: 'status', status: 404 }, 'hub-missing'],
  ])('an API that answers %s', async (_, fault, code) => {
    hub.fail('api', fault);
    await expect(findHubModel({ id: open.id, revision: 'main' }, hubFetch(open.id))).rejects.toMatchObject({
      code,
      details: { model: open.id },
    });
  });

  test('a revision that is not there', async () => {
    await expect(findHubModel({ id: open.id, revision: 'v9' }, hubFetch(open.id))).rejects.toMatchObject({
      code: 'hub-missing',
    });
  });
});

describe('a token', () => {
  test('opens a gated model, and goes to the hub alone', async () => {
    const record = await recordOf(gated, { token });
    expect((await download(record, { token })).at(-1)).toBe(total);
    const cdn = hub.requests.filter(({ host }) => host.startsWith('localhost'));
    expect(cdn).toHaveLength(3);
    expect(cdn.map(({ authorization }) => authorization)).toEqual([undefined, undefined, undefined]);
    expect(hub.requests.filter(({ path }) => path.includes(token))).toEqual([]);
  });

  test.each<[string, HubRepo, string | undefined, object]>([
    ['none, gated', gated, undefined, { code: 'hub-gated', details: { hasToken: false } }],
    ['another, gated', gated, 'hf_other', { code: 'hub-gated', details: { hasToken: true } }],
    ['none, private', hidden, undefined, { code: 'hub-sign-in', details: { hasToken: false } }],
    ['another, private', hidden, 'hf_other', { code: 'hub-missing', details: {} }],
    ['no token at all', open, 'two words\n', { code: 'hub-sign-in', details: { hasToken: true } }],
  ])('%s', async (_, repo, who, error) => {
    const reach = async () => {
      const fetch = hubFetch(repo.id, who === undefined ? {} : { token: who });
      const model = await findHubModel({ id: repo.id, revision: 'main' }, fetch);
      await readHubFile(model, model.files[0]!, fetch);
    };
    const failure: unknown = await reach().catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject(error);
    if (who !== undefined) expect(JSON.stringify([failure, String(failure)])).not.toContain(who);
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
