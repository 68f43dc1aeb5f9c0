// Fetches one model file into a sink: goes on where an earlier try broke off (HTTP Range), and hashes on the way.
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { AppError, isAppError } from '../base/errors';
import { freeBytes } from '../base/free-bytes';
import type { ModelFile } from './model-manifest';
import { createMemorySink, type MemorySink, type Sink } from './model-sink';

export type DownloadOptions = {
  readonly fetch: typeof globalThis.fetch;
  readonly onProgress?: ((loadedBytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What to do where storage has no room: go on in memory (the default), or fail with AppError('storage-full') and keep what came. */
  readonly whenFull?: 'memory' | 'fail' | undefined;
};

const hashChunkBytes = 4 * 2 ** 20;
const hashBreathEveryBytes = 64 * 2 ** 20; // between two such parts the worker hears messages: a pause, say
const progressEveryBytes = 2 ** 17;

/**
 * Fills `sink` with the file. Where it has no room for all, the answer is a sink in memory that does; else undefined.
 * Throws AppError('file-missing' | 'download-failed', { file, … }), and what came so far stays in `sink` for the next try,
 * unless it is wrong (reason 'size' or 'hash'): then the sink is empty.
 */
export async function download(
  file: ModelFile,
  sink: Sink,
  options: DownloadOptions,
): Promise<MemorySink | undefined> {
  let target = sink;
  let memory: MemorySink | undefined;
  if (target.size() > file.sizeBytes) target.clear();
  const isResumed = target.size() > 0;
  let hash = await hashStored(target, options.signal);
  let reported = -1;
  const report = () => {
    const size = target.size();
    if (size < file.sizeBytes && reported >= 0 && size - reported < progressEveryBytes) return;
    reported = size;
    options.onProgress?.(size);
  };
  const write = (bytes: Uint8Array<ArrayBuffer>) => {
    if (target.size() + bytes.length > file.sizeBytes) {
      target.clear();
      throw failed(file, { reason: 'size' });
    }
    if (!target.append(bytes)) {
      if (options.whenFull === 'fail') {
        throw new AppError('storage-full', { what: file.path, neededBytes: file.sizeBytes - target.size() });
      }
      target = memory = createMemorySink(file.sizeBytes, target);
      target.append(bytes);
    }
    hash.update(bytes);
    report();
  };

  report();
  while (target.size() < file.sizeBytes) {
    const before = target.size();
    try {
      const response = await request(file, before, options);
      if (response.status !== 206 && before > 0) {
        target.clear(); // the server sends it all
        hash = sha256.create();
      }
      await pour(response, write);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (isAppError(error) || target.size() <= before) throw asFailure(file, error);
      continue; // the line broke: ask for the rest as long as every try brings something
    }
    if (target.size() <= before) throw failed(file, { reason: 'size' }); // the answer ended early and brought nothing
  }
  if (bytesToHex(hash.digest()) !== file.sha256) {
    target.clear();
    if (isResumed) return (await download(file, target, options)) ?? memory; // the stored part may be what was wrong
    throw failed(file, { reason: 'hash' });
  }
  return memory;
}

async function hashStored(sink: Sink, signal: AbortSignal | undefined) {
  const hash = sha256.create();
  const chunk = new Uint8Array(Math.min(hashChunkBytes, sink.size()));
  for (let at = 0; at < sink.size();) {
    signal?.throwIfAborted();
    const count = sink.read(chunk, at);
    if (count === 0) break;
    hash.update(chunk.subarray(0, count));
    at += count;
    if (at % hashBreathEveryBytes === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  return hash;
}

async function request(file: ModelFile, from: number, { fetch, signal }: DownloadOptions): Promise<Response> {
  const response = await fetch(file.path, {
    ...(from > 0 && { headers: { Range: `bytes=${from}-` } }),
    ...(signal && { signal }),
  });
  if (response.status === 404 || response.status === 410 || isPage(file, response)) {
    throw new AppError('file-missing', { file: file.path, status: response.status });
  }
  // Another origin's header may be hidden from us; then the status counts, and the hash at the end finds a lie.
  const isRest = response.headers.get('Content-Range')?.startsWith(`bytes ${from}-`) ?? true;
  if (response.status === 416 || (response.status === 206 && !isRest)) {
    return request(file, 0, { fetch, signal }); // the server counts otherwise: from the start
  }
  if (!response.ok) throw failed(file, { status: response.status });
  return response;
}

// Servers of single-page applications answer with the page where a file is missing.
function isPage(file: ModelFile, response: Response): boolean {
  return !file.path.endsWith('.html') && (response.headers.get('Content-Type') ?? '').startsWith('text/html');
}

async function pour(response: Response, write: (bytes: Uint8Array<ArrayBuffer>) => void): Promise<void> {
  const reader = response.body?.getReader();
  if (reader === undefined) return write(new Uint8Array(await response.arrayBuffer()));
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      write(value);
      freeBytes(value);
    }
  } catch (error) {
    await reader.cancel().catch(() => {}); // the stream is broken or unwanted either way
    throw error;
  }
}

function failed(file: ModelFile, details: Readonly<Record<string, string | number>>, cause?: unknown) {
  return new AppError('download-failed', { file: file.path, ...details }, cause);
}

function asFailure(file: ModelFile, error: unknown): unknown {
  return isAppError(error) ? error : failed(file, {}, error);
}
