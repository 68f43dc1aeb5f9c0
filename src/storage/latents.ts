// Encoded photos and sampled class pictures, so that neither is made twice. A key that starts with "<run id>/" is removed with
// its run; any other key (class pictures by model and prompt) serves all runs and is removed only with its kind.
import { get, set } from 'idb-keyval';
import { z } from 'zod';
import { guard, storeOf } from './database';
import { countSchema, floatsSchema, parseRecord, type RecordFormat } from './record';

export type Latents = { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> };

const format: RecordFormat<Latents & { readonly version: 1 }> = {
  what: 'latents',
  schema: z
    .strictObject({ version: z.literal(1), shape: z.array(countSchema), data: floatsSchema })
    .refine(({ shape, data }) => data.length === shape.reduce((product, n) => product * n, 1), 'wrong size'),
};

const latents = storeOf('latents');

/** Stores latents under `key`. Throws AppError('storage-full' | 'storage-failed'). */
export function putLatents(key: string, { shape, data }: Latents): Promise<void> {
  return guard('latents', () => set(key, parseRecord(format, { version: 1, shape, data }), latents));
}

/** The latents of `key`, or undefined. */
export function getLatents(key: string): Promise<Latents | undefined> {
  return guard('latents', async () => {
    const stored = await get<unknown>(key, latents);
    if (stored === undefined) return undefined;
    const { shape, data } = parseRecord(format, stored);
    return { shape, data };
  });
}
