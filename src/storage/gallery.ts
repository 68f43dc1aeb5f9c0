// Pictures that were drawn, kept across reloads with the request that drew them.
import { del, get, set, values } from 'idb-keyval';
import { z } from 'zod';
import { guard, storeOf } from './database';
import { blobSchema, jsonSchema, parseReadable, parseRecord, type Json, type RecordFormat } from './record';

export type GalleryImage = {
  readonly version: 1;
  readonly id: string;
  readonly createdAt: number; // ms since 1970
  readonly png: Blob;
  readonly prompt: string;
  readonly request: Json; // the settings that drew it; who uses them checks them
};

const format: RecordFormat<GalleryImage> = {
  what: 'picture',
  schema: z.strictObject({
    version: z.literal(1),
    id: z.string(),
    createdAt: z.number(),
    png: blobSchema,
    prompt: z.string(),
    request: jsonSchema,
  }),
};

const gallery = storeOf('gallery');

/** Keeps a picture. Throws AppError('storage-full' | 'storage-failed'). */
export function addGalleryImage(image: GalleryImage): Promise<void> {
  return guard(format.what, () => set(image.id, parseRecord(format, image), gallery));
}

/** The picture of this id, or undefined. */
export function loadGalleryImage(id: string): Promise<GalleryImage | undefined> {
  return guard(format.what, async () => {
    const stored = await get<unknown>(id, gallery);
    return stored === undefined ? undefined : parseRecord(format, stored);
  });
}

/** All pictures, newest first. */
export function listGalleryImages(): Promise<readonly GalleryImage[]> {
  return guard(format.what, async () =>
    parseReadable(format, await values<unknown>(gallery)).sort((a, b) => b.createdAt - a.createdAt),
  );
}

/** Removes a picture. */
export function deleteGalleryImage(id: string): Promise<void> {
  return guard(format.what, () => del(id, gallery));
}
