import { createHash } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { createMemoryDisk } from './__fixtures__/memory-directory';
import { listModelFiles, openModelFile, removeModelFiles } from './model-files';

const content = Uint8Array.from({ length: 1000 }, (_, i) => (i * 31) % 251);
const sha256 = createHash('sha256').update(content).digest('hex');
const file = { path: 'models/a/unet.safetensors', sha256, sizeBytes: content.length };
const part = `models/${sha256}.part`;
const whole = `models/${sha256}`;

type Server = {
  readonly fetch: typeof fetch;
  readonly requests: string[]; // the Range header of each, '' without
};

/** Serves `bytes` in pieces of 100. `breaks[i]` is how many bytes request i sends before the line breaks. */
function serve(
  bytes: Uint8Array<ArrayBuffer>,
  breaks: readonly (number | undefined)[] = [],
  answers: 'ranges' | 'all' | 'shifted' = 'ranges',
): Server {
  const requests: string[] = [];
  const fetchFile = async (_: unknown, init?: RequestInit) => {
    const range = new Headers(init?.headers).get('Range') ?? '';
    const limit = breaks[requests.length] ?? Infinity;
    requests.push(range);
    const isRest = range !== '' && answers !== 'all';
    const from = isRest ? Number(/^bytes=(\d+)-$/.exec(range)![1]) : 0;
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        init?.signal?.throwIfAborted();
        const left = Math.min(100, bytes.length - from - sent, limit - sent);
        if (left > 0) controller.enqueue(bytes.slice(from + sent, from + sent + left));
        sent += Math.max(0, left);
        if (sent >= limit) controller.error(new TypeError('network error'));
        else if (from + sent >= bytes.length) controller.close();
      },
    });
    const start = answers === 'shifted' ? from + 1 : from;
    const headers = isRest ? { 'Content-Range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {};
    return new Response(body, { status: isRest ? 206 : 200, headers });
  };
  return { fetch: fetchFile, requests };
}

const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());
const answer = (status: number, headers: Record<string, string> = {}) => ({
  fetch: async () => new Response('text', { status, headers }),
});

describe('download', () => {
  test('stores the verified file and answers it from there the next time', async () => {
    const disk = createMemoryDisk();
    const server = serve(content);
    const progress: number[] = [];
    const options = { ...server, root: disk.root, onProgress: (n: number) => progress.push(n) };
    expect(await bytesOf(await openModelFile(file, options))).toEqual(content);
    expect([...disk.files.keys()]).toEqual([whole]);
    expect([progress[0], progress.at(-1)]).toEqual([0, 1000]);
    expect(await bytesOf(await openModelFile(file, options))).toEqual(content);
    expect(server.requests).toEqual(['']);
  });

  test('goes on at once after a break, with Range, as long as something comes', async () => {
    const disk = createMemoryDisk();
    const server = serve(content, [300, 250]);
    expect(await bytesOf(await openModelFile(file, { ...server, root: disk.root }))).toEqual(content);
    expect(server.requests).toEqual(['', 'bytes=200-', 'bytes=400-']); // a broken stream drops what was not read yet
  });

  test('keeps what came when nothing more comes, and a later call takes the rest', async () => {
    const disk = createMemoryDisk();
    const broken = serve(content, [300, 0]);
    const failure = openModelFile(file, { ...broken, root: disk.root });
    await expect(failure).rejects.toMatchObject({ code: 'download-failed', details: { file: file.path } });
    const kept = disk.files.get(part)!;
    expect(kept.length).toBeGreaterThan(0);
    expect(kept).toEqual(content.slice(0, kept.length));

    const server = serve(content);
    const progress: number[] = [];
    const options = { ...server, root: disk.root, onProgress: (n: number) => progress.push(n) };
    expect(await bytesOf(await openModelFile(file, options))).toEqual(content);
    expect(server.requests).toEqual([`bytes=${kept.length}-`]);
    expect(progress[0]).toBe(kept.length);
    expect([...disk.files.keys()]).toEqual([whole]);
  });

  test.each([
    ['all', ['bytes=400-']],
    ['shifted', ['bytes=400-', '']],
  ] as const)('starts over where the server answers Range with %s', async (answers, requests) => {
    const disk = createMemoryDisk();
    disk.files.set(part, content.slice(0, 400));
    const server = serve(content, [], answers);
    expect(await bytesOf(await openModelFile(file, { ...server, root: disk.root }))).toEqual(content);
    expect(server.requests).toEqual(requests);
  });

  test('a whole part of a killed tab needs no request, only the check', async () => {
    const disk = createMemoryDisk();
    disk.files.set(part, content.slice());
    const server = serve(content);
    expect(await bytesOf(await openModelFile(file, { ...server, root: disk.root }))).toEqual(content);
    expect(server.requests).toEqual([]);
  });

  test('refuses other content of the same length and removes it', async () => {
    const disk = createMemoryDisk();
    const other = content.slice();
    other[777]! ^= 1;
    await expect(openModelFile(file, { ...serve(other), root: disk.root })).rejects.toMatchObject({
      code: 'download-failed',
      details: { file: file.path, reason: 'hash' },
    });
    expect([...disk.files.keys()]).toEqual([]);
  });

  test('a damaged part of an earlier try is found out and loaded again', async () => {
    const disk = createMemoryDisk();
    disk.files.set(part, new Uint8Array(900));
    const server = serve(content);
    expect(await bytesOf(await openModelFile(file, { ...server, root: disk.root }))).toEqual(content);
    expect(server.requests).toEqual(['bytes=900-', '']);
  });

  test('refuses more bytes, and fewer', async () => {
    const disk = createMemoryDisk();
    const long = openModelFile(file, { ...serve(new Uint8Array(1001)), root: disk.root });
    await expect(long).rejects.toMatchObject({ details: { reason: 'size' } });
    const short = openModelFile(file, { ...serve(content.slice(0, 900)), root: disk.root });
    await expect(short).rejects.toMatchObject({ code: 'download-failed', details: { reason: 'size' } });
  });

  test.each([
    ['404', answer(404), 'file-missing'],
    ['410', answer(410), 'file-missing'],
    ['the page instead', answer(200, { 'Content-Type': 'text/html; charset=utf-8' }), 'file-missing'],
    ['500', answer(500), 'download-failed'],
    ['no network', { fetch: () => Promise.reject(new TypeError('fetch failed')) }, 'download-failed'],
  ])('says what went wrong: %s', async (_, server, code) => {
    const disk = createMemoryDisk();
    await expect(openModelFile(file, { ...server, root: disk.root })).rejects.toMatchObject({
      code,
      details: { file: file.path },
    });
    expect(disk.files.size).toBe(0);
  });

  test('an abort rejects as abort and keeps what came', async () => {
    const disk = createMemoryDisk();
    const controller = new AbortController();
    const large = new Uint8Array(3 * 2 ** 20).fill(7);
    const largeFile = {
      ...file,
      sha256: createHash('sha256').update(large).digest('hex'),
      sizeBytes: large.length,
    };
    const options = {
      fetch: async (_: unknown, init?: RequestInit) => {
        let sent = 0;
        const pull = (c: ReadableStreamDefaultController<Uint8Array>) => {
          if (init?.signal?.aborted) c.error(init.signal.reason);
          else c.enqueue(large.slice(sent, (sent += 2 ** 19)));
        };
        return new Response(new ReadableStream({ pull }));
      },
      root: disk.root,
      signal: controller.signal,
      onProgress: (n: number) => n > 2 ** 20 && controller.abort(),
    };
    await expect(openModelFile(largeFile, options)).rejects.toMatchObject({ name: 'AbortError' });
    expect(disk.files.get(`models/${largeFile.sha256}.part`)!.length).toBeGreaterThanOrEqual(2 ** 20);
  });

  test('flushes every 16 MB and at the end', async () => {
    const disk = createMemoryDisk();
    const large = new Uint8Array(40 * 2 ** 20).fill(7);
    const largeFile = {
      ...file,
      sha256: createHash('sha256').update(large).digest('hex'),
      sizeBytes: large.length,
    };
    const step = 4 * 2 ** 20;
    const body = () => {
      let sent = 0;
      return new ReadableStream<Uint8Array>({
        pull: (c) => (sent < large.length ? c.enqueue(large.slice(sent, (sent += step))) : c.close()),
      });
    };
    await openModelFile(largeFile, { fetch: async () => new Response(body()), root: disk.root });
    expect(disk.log).toEqual([16, 32, 40].map((mb) => `flush ${mb * 2 ** 20}`));
  });
});

describe('without room or place', () => {
  test('a full disk continues in memory and leaves nothing behind', async () => {
    const disk = createMemoryDisk();
    disk.quotaBytes = 450;
    const server = serve(content);
    expect(await bytesOf(await openModelFile(file, { ...server, root: disk.root }))).toEqual(content);
    expect(server.requests).toEqual(['']);
    expect([...disk.files.keys()]).toEqual([]);
  });

  test.each([
    ['no storage', async () => undefined],
    ['storage refused', () => Promise.reject(new DOMException('no', 'SecurityError'))],
    ['no access handles', createMemoryDisk({ access: false, move: true }).root],
  ])('%s: the file is held in memory', async (_, root) => {
    expect(await bytesOf(await openModelFile(file, { ...serve(content), root }))).toEqual(content);
  });

  test('without move the verified file is copied to its name', async () => {
    const disk = createMemoryDisk({ access: true, move: false });
    expect(await bytesOf(await openModelFile(file, { ...serve(content), root: disk.root }))).toEqual(content);
    expect([...disk.files.keys()]).toEqual([whole]);
  });
});

test('a stored file of the wrong size does not count', async () => {
  const disk = createMemoryDisk();
  disk.files.set(whole, content.slice(0, 10));
  expect(await bytesOf(await openModelFile(file, { ...serve(content), root: disk.root }))).toEqual(content);
});

test('a file is opened under its own lock', async () => {
  const names: string[] = [];
  const request = async (name: string, _: unknown, callback: () => Promise<unknown>) => {
    names.push(name);
    return callback();
  };
  const locks = { request } as unknown as LockManager;
  await openModelFile(file, { ...serve(content), root: createMemoryDisk().root, locks });
  expect(names).toEqual([`likeness-model:${sha256}`]);
});

test('stored files are listed and removed, parts with their files', async () => {
  const disk = createMemoryDisk();
  for (const name of ['a', 'b', 'b.part']) disk.files.set(`models/${name}`, content.slice(0, 3));
  expect(await listModelFiles(disk.root)).toEqual(
    ['a', 'b', 'b.part'].map((name) => ({ name, sizeBytes: 3 })),
  );
  await removeModelFiles(['b'], disk.root);
  expect([...disk.files.keys()]).toEqual(['models/a']);
  await removeModelFiles(undefined, disk.root);
  expect(disk.files.size).toBe(0);
});

test('a file that is moved while the folder is read is left out of the list', async () => {
  const disk = createMemoryDisk();
  disk.files.set('models/a', content);
  vi.spyOn(disk.files, 'keys').mockReturnValue(
    new Map([
      ['models/b.part', 1],
      ['models/a', 1],
    ]).keys(),
  );
  expect(await listModelFiles(disk.root)).toEqual([{ name: 'a', sizeBytes: content.length }]);
});
