// LoRA files that a person brought in, as the bytes they were.
import { del, get, set, update, values } from 'idb-keyval';
import { z } from 'zod';
import { AppError } from '../base/errors';
import { guard, storeOf } from './database';
import { blobSchema, parseReadable, parseRecord, type RecordFormat } from './record';

export type ImportedLora = {
  readonly version: 1;
  readonly id: string;
  readonly name: string;
  readonly modelId: string;
  readonly fileName: string;
  readonly file: Blob;
  readonly importedAt: number; // ms since 1970
};

const format: RecordFormat<ImportedLora> = {
  what: 'LoRA file',
  schema: z.strictObject({
    version: z.literal(1),
    id: z.string(),
    name: z.string(),
    modelId: z.string(),
    fileName: z.string(),
    file: blobSchema,
    importedAt: z.number(),
  }),
};

const loras = storeOf('loras');

/** Stores an imported file, or replaces the one of the same id. Throws AppError('storage-full' | 'storage-failed'). */
export function saveLora(lora: ImportedLora): Promise<void> {
  return guard(format.what, () => set(lora.id, parseRecord(format, lora), loras));
}

/** The imported file of this id, or undefined. */
export function loadLora(id: string): Promise<ImportedLora | undefined> {
  return guard(format.what, async () => {
    const stored = await get<unknown>(id, loras);
    return stored === undefined ? undefined : parseRecord(format, stored);
  });
}

/** All imported files, newest first. */
export function listLoras(): Promise<readonly ImportedLora[]> {
  return guard(format.what, async () =>
    parseReadable(format, await values<unknown>(loras)).sort((a, b) => b.importedAt - a.importedAt),
  );
}

/** Removes an imported file. */
export function deleteLora(id: string): Promise<void> {
  return guard(format.what, () => del(id, loras));
}

/** Gives an imported file another name. Throws AppError('storage-failed') where there is none of this id. */
export function renameLora(id: string, name: string): Promise<void> {
  const rename = (old: unknown) => {
    if (old === undefined)
      throw new AppError('storage-failed', { what: format.what, reason: 'there is no such file' });
    return { ...parseRecord(format, old), name };
  };
  return guard(format.what, () => update<unknown>(id, rename, loras));
}
