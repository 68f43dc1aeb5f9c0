// Preview pictures of a run, one per step that drew one.
import { set } from 'idb-keyval';
import { z } from 'zod';
import { guard, recordsUnder, storeOf } from './database';
import { blobSchema, countSchema, parseReadable, parseRecord, type RecordFormat } from './record';

export type Preview = { readonly step: number; readonly image: Blob };

const format: RecordFormat<Preview & { readonly version: 1 }> = {
  what: 'preview',
  schema: z.strictObject({ version: z.literal(1), step: countSchema, image: blobSchema }),
};

const previews = storeOf('previews');

/** Keeps the preview of a step; a later one of the same step replaces it. */
export function addPreview(runId: string, step: number, image: Blob): Promise<void> {
  return guard('preview', () =>
    set([runId, step], parseRecord(format, { version: 1, step, image }), previews),
  );
}

/** The previews of a run, first step first. */
export function listPreviews(runId: string): Promise<readonly Preview[]> {
  return guard('preview', async () =>
    parseReadable(format, await recordsUnder(previews, runId)).map(({ step, image }) => ({ step, image })),
  );
}
