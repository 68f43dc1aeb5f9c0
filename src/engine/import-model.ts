// A model that a person has as files: a diffusers folder, or one file with the names of the original code. It is looked at, then copied
// into this browser's storage by the hash of each file, so that it is there again without the files, and shares bytes with other models.
import { assertExists } from '../base/assert';
import { AppError } from '../base/errors';
import { reporting, type Job } from '../base/job';
import { hashFile } from '../storage/hash-file';
import { openModelFile, type ModelFileOptions } from '../storage/model-files';
import type { ModelFile, ModelManifest } from '../storage/model-manifest';
import { replaceModel, type ModelRecord } from '../storage/models';
import { openBaseModel } from './base-model';
import { chooseFiles } from './choose-files';
import { clipVocabulary } from './clip-vocabulary';
import type { DownloadEvent } from './contract';
import { readJson } from './model-parts';
import { findFolder, findSingleFile, weightsFile } from './open-model';
import { checkPipeline } from './pipelines';
import { adviseSampling } from './sampling-advice';

/** A file with its path in what was chosen or dropped: "folder/unet/config.json". */
export type GivenFile = { readonly path: string; readonly file: Blob };

export type ImportSource = {
  readonly fetch: typeof globalThis.fetch; // for CLIP's vocabulary, which single files lack
  readonly root?: ModelFileOptions['root'];
  readonly freeBytes: () => Promise<number | undefined>;
  readonly now: () => number;
};

/** A file of the model to be: given, or of the hub. */
type Part = { readonly name: string; readonly file: Blob };

/**
 * Imports the model in these files and answers its id. What it cannot be is refused after its table of contents, before anything is
 * copied. Throws AppError('bad-file' | 'unsupported-model' | 'file-missing' | 'storage-full' | 'download-failed').
 */
export async function* importModel(
  given: readonly GivenFile[],
  signal: AbortSignal,
  source: ImportSource,
): Job<DownloadEvent, string> {
  const { name, parts } = await chooseParts(given, signal, source);
  const found = new Map(parts.map((part) => [part.name, part.file]));
  const open = (path: string) => Promise.resolve(assertExists(found.get(path), path));
  // 1. what it is: only configs and tables of contents are read
  const scheduler = await schedulerText(found);
  const draft = manifestOf(`local/${name}`, name, scheduler, parts.map(unhashed));
  const { unet, pixelsPerLatent } = await openBaseModel(draft, open);
  // 2. whether it fits
  const totalBytes = parts.reduce((sum, { file }) => sum + file.size, 0);
  const free = await source.freeBytes();
  if (free !== undefined && totalBytes > free)
    throw new AppError('storage-full', { what: name, neededBytes: totalBytes, freeBytes: free });
  // 3. hashed, then copied: a file's name in storage is its hash
  return yield* reporting(async (report, stop) => {
    let doneBytes = 0; // of two passes
    const tell = (bytes: number) =>
      report({ kind: 'download-progress', loadedBytes: (doneBytes + bytes) / 2, totalBytes });
    const files: ModelFile[] = [];
    for (const part of parts) {
      const hash = await hashFile(part.file, stop, tell);
      files.push({ ...unhashed(part), sha256: hash });
      doneBytes += part.file.size;
    }
    for (const file of files) {
      await openModelFile(file, {
        fetch: (_, init) => readFrom(assertExists(found.get(file.path), file.path), init),
        ...(source.root && { root: source.root }),
        signal: stop,
        whenFull: 'fail',
        onProgress: tell,
      });
      doneBytes += file.sizeBytes;
    }
    const record: ModelRecord = {
      version: 1,
      id: draft.id,
      addedAt: source.now(),
      manifest: {
        ...draft,
        files,
        resolution: unet.sample_size * pixelsPerLatent,
        sampling: adviseSampling(draft.id, scheduler, Boolean(unet.time_cond_proj_dim)),
      },
      source: { kind: 'files' },
    };
    await replaceModel(record, source.root);
    return record.id;
  }, signal);
}

/** The files that the model needs, under the paths that they have in it. */
async function chooseParts(
  given: readonly GivenFile[],
  signal: AbortSignal,
  source: ImportSource,
): Promise<{ readonly name: string; readonly parts: readonly Part[] }> {
  const paths = given.map(({ path }) => path);
  const folder = findFolder(paths);
  if (folder === undefined) {
    const path = findSingleFile(paths);
    const { file } = assertExists(
      given.find((one) => one.path === path),
      path,
    );
    const fileName = path.split('/').at(-1)!;
    const { openSingleFile } = await import('./single-file');
    await openSingleFile(new Map([[fileName, file]]), fileName); // refused before anything is fetched
    const vocabulary = await clipVocabulary(source, signal);
    const stored = `model.${fileName.split('.').at(-1)!.toLowerCase()}`;
    return {
      name: fileName.replace(weightsFile, ''),
      parts: [...vocabulary, { name: stored, file }],
    };
  }
  const inside = given.flatMap(({ path, file }) =>
    path.startsWith(folder) ? [{ path: path.slice(folder.length), file }] : [],
  );
  const index = inside.find(({ path }) => path === 'model_index.json');
  if (index)
    checkPipeline(
      await readJson(index.file, index.path),
      inside.map(({ path }) => path),
    );
  return { name: folder.split('/').at(-2) ?? 'model', parts: chooseFiles(inside) };
}

const unhashed = ({ name, file }: Part): ModelFile => ({ path: name, sizeBytes: file.size, sha256: '' });

/** The text of the scheduler's config; a single file has none, and is drawn with as usual. */
const schedulerText = async (files: ReadonlyMap<string, Blob>): Promise<string> =>
  (await files.get('scheduler/scheduler_config.json')?.text()) ?? '{}';

const manifestOf = (
  id: string,
  name: string,
  scheduler: string,
  files: readonly ModelFile[],
): ModelManifest => ({
  version: 1,
  id,
  name,
  license: 'as its maker says',
  files,
  resolution: 512,
  sampling: adviseSampling(id, scheduler),
  training: {},
});

/** Answers as a server would that has the file: from where the request says. */
function readFrom(file: Blob, init: RequestInit | undefined): Promise<Response> {
  const from = Number(/^bytes=(\d+)-$/.exec(new Headers(init?.headers).get('Range') ?? '')?.[1] ?? 0);
  if (from === 0) return Promise.resolve(new Response(file.stream()));
  const headers = { 'Content-Range': `bytes ${from}-${file.size - 1}/${file.size}` };
  return Promise.resolve(new Response(file.slice(from).stream(), { status: 206, headers }));
}
