// Brings a base model's files to this machine and opens it, as a job.
import { AppError, isAppError } from '../base/errors';
import type { Job } from '../base/job';
import { openModelFile, type ModelFileOptions } from '../storage/model-files';
import { parseModelManifest, type ModelFile, type ModelManifest } from '../storage/model-manifest';
import { openBaseModel, type BaseModel } from './base-model';
import type { LoadModelEvent } from './contract';

const manifestName = 'likeness.json';

/** The network, and the storage where it is not the browser's own. */
export type ModelSource = Pick<ModelFileOptions, 'fetch' | 'root'>;

export const browserSource: ModelSource = { fetch: (...request) => fetch(...request) };

/**
 * Loads the model `modelId` from models/<id>/ below `baseUrl`. Yields real bytes while files come in.
 * Throws AppError('file-missing' | 'download-failed' | 'bad-file' | 'unsupported-model').
 */
export async function* loadBaseModel(
  modelId: string,
  baseUrl: URL,
  signal: AbortSignal,
  source: ModelSource,
): Job<LoadModelEvent, BaseModel> {
  const folder = new URL(`models/${modelId}/`, baseUrl);
  const manifest = await fetchManifest(folder, source, signal);
  const totalBytes = manifest.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const blobs = new Map<string, Blob>();
  let doneBytes = 0;
  yield { kind: 'stage-start', stage: 'download' };
  for (const file of manifest.files) {
    signal.throwIfAborted();
    const blob = yield* downloading(file, folder, source, signal, (loadedBytes) => ({
      kind: 'download-progress',
      file: file.path,
      loadedBytes: doneBytes + loadedBytes,
      totalBytes,
    }));
    blobs.set(file.path, blob);
    doneBytes += file.sizeBytes;
  }
  yield { kind: 'stage-start', stage: 'prepare' };
  return openBaseModel(manifest, (path) => {
    const blob = blobs.get(path);
    if (!blob) throw new AppError('file-missing', { file: path });
    return Promise.resolve(blob);
  });
}

/** One file, with an event for the bytes that came in whenever the last one has been taken. */
async function* downloading(
  file: ModelFile,
  folder: URL,
  source: ModelSource,
  signal: AbortSignal,
  progress: (loadedBytes: number) => LoadModelEvent,
): AsyncGenerator<LoadModelEvent, Blob, void> {
  let loaded = 0;
  let told = -1;
  let wake = () => {};
  const result = openModelFile(file, {
    ...source,
    fetch: (_path, init) => source.fetch(new URL(file.path, folder), init), // errors name the file, not the address
    signal,
    onProgress: (bytes) => {
      loaded = bytes;
      wake();
    },
  }).finally(() => {
    ended = true;
    wake();
  });
  let ended = false;
  result.catch(() => {}); // thrown by the await below
  while (!ended) {
    if (loaded !== told) yield progress((told = loaded));
    else
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
  const blob = await result;
  yield progress(file.sizeBytes);
  return blob;
}

async function fetchManifest(
  folder: URL,
  { fetch }: ModelSource,
  signal: AbortSignal,
): Promise<ModelManifest> {
  let response: Response;
  try {
    response = await fetch(new URL(manifestName, folder), { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new AppError('download-failed', { file: manifestName }, error);
  }
  if (response.status === 404) throw new AppError('file-missing', { file: manifestName });
  if (!response.ok) throw new AppError('download-failed', { file: manifestName, status: response.status });
  const text = await response.text();
  try {
    return parseModelManifest(text, manifestName);
  } catch (error) {
    // A server of single-page apps answers every missing file with its index.html.
    if (isAppError(error) && text.trimStart().startsWith('<'))
      throw new AppError('file-missing', { file: manifestName }, error);
    throw error;
  }
}
