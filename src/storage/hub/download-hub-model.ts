// Downloads the files of a hub model, several at once, each to its place by content hash. What has arrived stays: a pause, a broken
// connection or a killed tab only means that the next call asks for the rest.
import { AppError, isAppError } from '../../base/errors';
import { reporting, type Job } from '../../base/job';
import { openModelFile, type ModelFileOptions } from '../model-files';
import type { ModelFile } from '../model-manifest';
import { measureFiles, type ModelRecord } from '../models';
import { estimateStorage } from '../usage';
import { createHubFetch, type HubAccess } from './hub-fetch';
import { hubFileUrl } from './hub-model';

/** Bytes of all files that have arrived. */
export type LoadedBytes = number;

export type HubDownload = {
  readonly access: Omit<HubAccess, 'model' | 'signal'>;
  readonly root?: ModelFileOptions['root'];
  /** Bytes that the browser still gives; undefined where it does not tell. */
  readonly freeBytes?: () => Promise<number | undefined>;
};

/** Enough for the three large files of a model; more would only share the same line. */
const filesAtOnce = 3;

/** What the browser still gives to this page. */
export async function browserFreeBytes(): Promise<number | undefined> {
  const estimate = await estimateStorage();
  return estimate && Math.max(0, estimate.quotaBytes - estimate.usedBytes);
}

/**
 * Downloads what is missing of a model, verified. Throws AppError('storage-full', { neededBytes, freeBytes }) before the first byte
 * where it cannot fit, a hub fetch's AppErrors, and AppError('hub-wrong-file'); an abort rejects. In each case what arrived is kept.
 */
export async function* downloadHubModel(
  record: ModelRecord,
  signal: AbortSignal,
  { access, root, freeBytes = browserFreeBytes }: HubDownload,
): Job<LoadedBytes, void> {
  const { id, manifest, source } = record;
  if (source.kind !== 'hub') throw new AppError('model-missing', { model: id });
  const { sizeBytes, storedBytes } = await measureFiles(manifest.files, root);
  const free = await freeBytes();
  if (free !== undefined && sizeBytes - storedBytes > free) {
    throw new AppError('storage-full', {
      what: id,
      neededBytes: sizeBytes - storedBytes,
      freeBytes: free,
    });
  }
  yield* reporting(async (report, stop) => {
    const loaded = new Map<ModelFile, number>();
    await atOnce(manifest.files, filesAtOnce, stop, async (file, signal) => {
      const fetch = createHubFetch({ ...access, model: id, signal });
      const url = hubFileUrl(id, source.commit, source.paths[file.path] ?? file.path);
      try {
        await openModelFile(file, {
          fetch: (_, init) => fetch(url, init),
          signal,
          root,
          whenFull: 'fail',
          onProgress: (bytes) => {
            loaded.set(file, bytes);
            report([...loaded.values()].reduce((sum, count) => sum + count, 0));
          },
        });
      } catch (error) {
        throw asHubFailure(id, file, error);
      }
    });
  }, signal);
}

/** The failures of a plain download, in the words of the hub. */
function asHubFailure(model: string, file: ModelFile, error: unknown): unknown {
  if (!isAppError(error)) return error;
  const { reason, status } = error.details;
  const details = { model, file: file.path };
  if (error.code === 'file-missing') return new AppError('hub-missing', details, error);
  if (error.code !== 'download-failed') return error;
  if (reason !== undefined) return new AppError('hub-wrong-file', { ...details, reason }, error);
  return new AppError('hub-unreachable', { ...details, ...(status !== undefined && { status }) }, error);
}

/** Runs `task` over `items`, `limit` at once. The first failure stops the others, and is thrown when all have ended. */
async function atOnce<Item>(
  items: readonly Item[],
  limit: number,
  signal: AbortSignal,
  task: (item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const rest = [...items];
  const failures: unknown[] = [];
  const work = async () => {
    for (let item = rest.shift(); item !== undefined && !either.aborted; item = rest.shift()) {
      try {
        await task(item, either);
      } catch (error) {
        failures.push(error);
        stop.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, work));
  signal.throwIfAborted();
  if (failures.length > 0) throw failures[0];
}
