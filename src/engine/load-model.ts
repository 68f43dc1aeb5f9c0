// Brings a base model's files to this machine and opens it, as a job.
import { AppError, isAppError } from '../base/errors';
import { reporting, type Job } from '../base/job';
import { openModelFile, storedModelFile, type ModelFileOptions } from '../storage/model-files';
import { parseModelManifest, type ModelManifest } from '../storage/model-manifest';
import { loadModel, saveModel } from '../storage/models';
import { openBaseModel, type BaseModel } from './base-model';
import type { LoadModelEvent } from './contract';

const manifestName = 'likeness.json';

/** The network, and the storage where it is not the browser's own. */
export type ModelSource = Pick<ModelFileOptions, 'fetch' | 'root'>;

export const browserSource: ModelSource = { fetch: (...request) => fetch(...request) };

/** The model that comes with the page, under models/bundled/; every other one was brought in and is stored. */
const bundledModelId = 'bundled';

/**
 * Loads the model `modelId`: the bundled one from models/bundled/ below `baseUrl`, with real bytes told while files come in, any
 * other from storage alone. Throws AppError('file-missing' | 'download-failed' | 'model-missing' | 'bad-file' | 'unsupported-model').
 */
export async function* loadBaseModel(
  modelId: string,
  baseUrl: URL,
  signal: AbortSignal,
  source: ModelSource,
): Job<LoadModelEvent, BaseModel> {
  const folder = new URL(`models/${modelId}/`, baseUrl);
  const isBundled = modelId === bundledModelId;
  const manifest = isBundled
    ? await fetchManifest(folder, source, signal)
    : (await loadModel(modelId))?.manifest;
  if (!manifest) throw new AppError('model-missing', { model: modelId });
  yield { kind: 'stage-start', stage: 'download' };
  const blobs = isBundled
    ? yield* downloadBundled(manifest, folder, source, signal)
    : await readStored(manifest, source);
  yield { kind: 'stage-start', stage: 'prepare' };
  return openBaseModel(manifest, (path) => {
    const blob = blobs.get(path);
    if (!blob) throw new AppError('file-missing', { file: path });
    return Promise.resolve(blob);
  });
}

/** The files of a model by their paths in it. */
type Files = ReadonlyMap<string, Blob>;

async function readStored(manifest: ModelManifest, { root }: ModelSource): Promise<Files> {
  const blobs = new Map<string, Blob>();
  for (const file of manifest.files) {
    const blob = await storedModelFile(file, root);
    if (!blob) throw new AppError('model-missing', { model: manifest.id });
    blobs.set(file.path, blob);
  }
  return blobs;
}

function downloadBundled(
  manifest: ModelManifest,
  folder: URL,
  source: ModelSource,
  signal: AbortSignal,
): Job<LoadModelEvent, Files> {
  const totalBytes = manifest.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return reporting(async (report, stop) => {
    const blobs = new Map<string, Blob>();
    let doneBytes = 0;
    for (const file of manifest.files) {
      stop.throwIfAborted();
      const blob = await openModelFile(file, {
        ...source,
        fetch: (_path, init) => source.fetch(new URL(file.path, folder), init), // errors name the file, not the address
        signal: stop,
        onProgress: (bytes) =>
          report({
            kind: 'download-progress',
            file: file.path,
            loadedBytes: doneBytes + bytes,
            totalBytes,
          }),
      });
      blobs.set(file.path, blob);
      doneBytes += file.sizeBytes;
    }
    await rememberFiles(manifest);
    return blobs;
  }, signal);
}

/** So that removing another model leaves the files that this one shares with it. Without storage there is nothing to leave. */
async function rememberFiles(manifest: ModelManifest): Promise<void> {
  try {
    await saveModel({ version: 1, id: manifest.id, addedAt: 0, manifest, source: { kind: 'page' } });
  } catch (error) {
    if (!isAppError(error)) throw error;
  }
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
