// Base models that a person brought in, each as a small record: its manifest and where its files come from. The files themselves lie in
// the file system by content hash, so models that share a file share its bytes. A model is ready when all its files are there, verified.
import { del, get, set, values } from 'idb-keyval';
import { z } from 'zod';
import { guard, storeOf } from './database';
import { listModelFiles, removeModelFiles } from './model-files';
import { manifestSchema, type ModelFile, type ModelManifest } from './model-manifest';
import { parseReadable, parseRecord, type RecordFormat } from './record';

export type ModelRecord = {
  readonly version: 1;
  readonly id: string; // the manifest's
  readonly addedAt: number; // ms since 1970
  readonly manifest: ModelManifest;
  readonly source:
    | { readonly kind: 'page' } // the bundled model, under models/<id>/ beside the page
    | { readonly kind: 'files' } // brought in by hand, whole
    | {
        readonly kind: 'hub';
        readonly commit: string;
        /** The path in the repository of each file of the manifest. */
        readonly paths: Readonly<Record<string, string>>;
      };
};

export type StoredModel = {
  readonly record: ModelRecord;
  readonly sizeBytes: number; // of all its files
  readonly storedBytes: number; // of them, what has arrived
  readonly isReady: boolean;
};

const format: RecordFormat<ModelRecord> = {
  what: 'model',
  schema: z.strictObject({
    version: z.literal(1),
    id: z.string(),
    addedAt: z.number(),
    manifest: manifestSchema,
    source: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('page') }),
      z.strictObject({ kind: z.literal('files') }),
      z.strictObject({
        kind: z.literal('hub'),
        commit: z.string().regex(/^[0-9a-f]{40}$/),
        paths: z.record(z.string(), z.string()),
      }),
    ]),
  }),
};

const models = storeOf('models');

type Root = Parameters<typeof listModelFiles>[0];

/** Keeps the record of a model. Throws AppError('storage-full' | 'storage-failed'). */
export function saveModel(record: ModelRecord): Promise<void> {
  return guard(format.what, () => set(record.id, parseRecord(format, record), models));
}

/** The record of a model, or undefined. */
export function loadModel(id: string): Promise<ModelRecord | undefined> {
  return guard(format.what, async () => {
    const stored = await get<unknown>(id, models);
    return stored === undefined ? undefined : parseRecord(format, stored);
  });
}

/** All models with how much of each is stored, oldest first. */
export function listModels(root?: Root): Promise<readonly StoredModel[]> {
  return guard(format.what, async () => {
    const records = parseReadable(format, await values<unknown>(models));
    const sizes = await storedSizes(root);
    return records
      .sort((a, b) => a.addedAt - b.addedAt)
      .map((record) => ({ record, ...measure(record.manifest.files, sizes) }));
  });
}

/** How much of `files` is stored. */
export async function measureFiles(
  files: readonly ModelFile[],
  root?: Root,
): Promise<Omit<StoredModel, 'record'>> {
  return measure(files, await storedSizes(root));
}

async function storedSizes(root?: Root): Promise<ReadonlyMap<string, number>> {
  return new Map((await listModelFiles(root)).map(({ name, sizeBytes }) => [name, sizeBytes]));
}

function measure(
  files: readonly ModelFile[],
  sizes: ReadonlyMap<string, number>,
): Omit<StoredModel, 'record'> {
  let sizeBytes = 0;
  let storedBytes = 0;
  let isReady = true;
  for (const file of files) {
    const isWhole = sizes.get(file.sha256) === file.sizeBytes;
    sizeBytes += file.sizeBytes;
    storedBytes += isWhole ? file.sizeBytes : Math.min(sizes.get(`${file.sha256}.part`) ?? 0, file.sizeBytes);
    isReady &&= isWhole;
  }
  return { sizeBytes, storedBytes, isReady };
}

/** Keeps the record of a model in place of an earlier one, whose files go where no model has them any more. */
export function replaceModel(record: ModelRecord, root?: Root): Promise<void> {
  return guard(format.what, async () => {
    const former = await loadModel(record.id);
    await saveModel(record);
    if (former) await removeUnused(former.manifest.files, root);
  });
}

/** Removes a model and those of its files that no other model has. */
export function removeModel(id: string, root?: Root): Promise<void> {
  return guard(format.what, async () => {
    const former = await loadModel(id);
    await del(id, models); // first: files without a record are only space, a record without files is a wrong promise
    if (former) await removeUnused(former.manifest.files, root);
  });
}

async function removeUnused(files: readonly ModelFile[], root?: Root): Promise<void> {
  const records = parseReadable(format, await values<unknown>(models));
  const used = new Set(records.flatMap(({ manifest }) => manifest.files.map(({ sha256 }) => sha256)));
  const hashes = files.map(({ sha256 }) => sha256).filter((sha256) => !used.has(sha256));
  await removeModelFiles(hashes, root);
}
