// Training runs with their photos. The photos lie apart, so that the progress of a run is a small put and not a copy of them all.
import { get, update, values } from 'idb-keyval';
import { z } from 'zod';
import { AppError } from '../base/errors';
import { guard, keysUnder, recordsUnder, storeOf, transact } from './database';
import { blobSchema, countSchema, parseReadable, parseRecord, type RecordFormat } from './record';

export type Photo = {
  readonly id: string; // SHA-256 of the file, hex
  readonly name: string;
  readonly type: string;
  readonly file: Blob;
  readonly width: number;
  readonly height: number;
  readonly caption: string;
  readonly thumbnail: Blob;
};

export type RunState = 'draft' | 'running' | 'paused' | 'ended' | 'failed';

/** Training settings as they were; who uses them checks names and ranges. */
export type RunSettings = Readonly<Record<string, string | number | boolean>>;

export type Run = {
  readonly version: 1;
  readonly id: string;
  readonly name: string;
  readonly createdAt: number; // ms since 1970
  readonly updatedAt: number;
  readonly modelId: string;
  readonly subjectWord: string;
  readonly className: string;
  readonly photos: readonly Photo[];
  readonly settings: RunSettings;
  readonly state: RunState;
  readonly step: number;
};

export type RunPatch = Partial<Omit<Run, 'version' | 'id' | 'createdAt' | 'updatedAt'>>;

type StoredPhoto = Photo & { readonly version: 1 };
type StoredRun = Omit<Run, 'photos'> & { readonly photoIds: readonly string[] };

const photoFormat: RecordFormat<StoredPhoto> = {
  what: 'photo',
  schema: z.strictObject({
    version: z.literal(1),
    id: z.string(),
    name: z.string(),
    type: z.string(),
    file: blobSchema,
    width: countSchema,
    height: countSchema,
    caption: z.string(),
    thumbnail: blobSchema,
  }),
};

const runFormat: RecordFormat<StoredRun> = {
  what: 'run',
  schema: z.strictObject({
    version: z.literal(1),
    id: z.string(),
    name: z.string(),
    createdAt: z.number(),
    updatedAt: z.number(),
    modelId: z.string(),
    subjectWord: z.string(),
    className: z.string(),
    photoIds: z.array(z.string()),
    settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
    state: z.enum(['draft', 'running', 'paused', 'ended', 'failed']),
    step: countSchema,
  }),
};

const runs = storeOf('runs');
const photos = storeOf('photos');

function putPhotos(store: IDBObjectStore, runId: string, list: readonly Photo[]): void {
  store.delete(keysUnder(runId));
  for (const photo of list) store.put({ ...photo, version: 1 } satisfies StoredPhoto, [runId, photo.id]);
}

async function withPhotos(stored: StoredRun): Promise<Run> {
  const { photoIds, ...run } = stored;
  const records = await recordsUnder(photos, run.id);
  const byId = new Map<string, Photo>();
  for (const record of records) {
    const photo: Photo & { version?: 1 } = { ...parseRecord(photoFormat, record) };
    delete photo.version; // of the record, not of the photo
    byId.set(photo.id, photo);
  }
  return { ...run, photos: photoIds.flatMap((id) => byId.get(id) ?? []) };
}

/** Stores a new run, or replaces it with its photos; all or nothing. Throws AppError('storage-full' | 'storage-failed'). */
export function saveRun(run: Run): Promise<void> {
  const { photos: list, ...rest } = run;
  const stored: StoredRun = { ...rest, photoIds: list.map(({ id }) => id) };
  return guard('run', () =>
    transact(['runs', 'photos'], (stores) => {
      stores.runs.put(parseRecord(runFormat, stored), run.id);
      putPhotos(stores.photos, run.id, list);
    }),
  );
}

/** The run, or undefined where there is none of this id. */
export function loadRun(id: string): Promise<Run | undefined> {
  return guard('run', async () => {
    const stored = await get<unknown>(id, runs);
    return stored === undefined ? undefined : withPhotos(parseRecord(runFormat, stored));
  });
}

/** All runs, newest first. Those that cannot be read are left out. */
export function listRuns(): Promise<readonly Run[]> {
  return guard('run', async () => {
    const stored = parseReadable(runFormat, await values<unknown>(runs));
    const list = await Promise.all(stored.map(withPhotos));
    return list.sort((a, b) => b.createdAt - a.createdAt);
  });
}

/** Changes fields of a stored run, in one transaction. Throws AppError('storage-failed') where there is no such run. */
export function updateRun(id: string, patch: RunPatch, now = Date.now()): Promise<void> {
  const { photos: list, ...rest } = patch;
  const change = (old: unknown): StoredRun => {
    if (old === undefined)
      throw new AppError('storage-failed', { what: 'run', reason: 'there is no such run' });
    const photoIds = list === undefined ? {} : { photoIds: list.map((photo) => photo.id) };
    return parseRecord(runFormat, { ...parseRecord(runFormat, old), ...rest, ...photoIds, updatedAt: now });
  };
  return guard('run', async () => {
    if (list === undefined) return update<unknown>(id, change, runs);
    let failure: unknown;
    const committed = transact(['runs', 'photos'], (stores) => {
      const request = stores.runs.get(id);
      request.onsuccess = () => {
        try {
          stores.runs.put(change(request.result), id);
          putPhotos(stores.photos, id, list);
        } catch (error) {
          failure = error;
          stores.runs.transaction.abort();
        }
      };
    });
    await committed.catch((error: unknown) => {
      throw failure ?? error;
    });
  });
}

/** Gives a run another name. */
export function renameRun(id: string, name: string, now = Date.now()): Promise<void> {
  return updateRun(id, { name }, now);
}

/** Removes a run with its photos, checkpoints, previews and the latents whose keys start with "<id>/"; all or nothing. */
export function deleteRun(id: string): Promise<void> {
  return guard('run', () =>
    transact(['runs', 'photos', 'checkpoints', 'checkpoint-info', 'previews', 'latents'], (stores) => {
      stores.runs.delete(id);
      stores.latents.delete(IDBKeyRange.bound(`${id}/`, `${id}/\uffff`));
      for (const name of ['photos', 'checkpoints', 'checkpoint-info', 'previews'] as const) {
        stores[name].delete(keysUnder(id));
      }
    }),
  );
}
