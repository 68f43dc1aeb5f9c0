// Stored things carry a version. What is read is brought to the newest version and checked before anything uses it.
import { z } from 'zod';
import { AppError } from '../base/errors';

/** Any value that JSON can say, for parts whose owner is another folder. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export type RecordFormat<T> = {
  readonly what: string; // for the error: 'run', 'checkpoint', …
  readonly schema: z.ZodType<T>; // of the newest version
  /** `migrations[n]` makes version n + 1 of version n. */
  readonly migrations?: Readonly<Record<number, (old: Record<string, unknown>) => Record<string, unknown>>>;
};

/** The newest form of a stored value. Throws AppError('storage-failed', { what, reason }) for what no version describes. */
export function parseRecord<T>({ what, schema, migrations = {} }: RecordFormat<T>, value: unknown): T {
  let current = value;
  for (;;) {
    const version =
      typeof current === 'object' && current !== null && 'version' in current && current.version;
    const migrate = typeof version === 'number' ? migrations[version] : undefined;
    if (migrate === undefined) break;
    current = migrate(current as Record<string, unknown>);
  }
  const result = schema.safeParse(current);
  if (result.success) return result.data;
  throw new AppError('storage-failed', { what, reason: z.prettifyError(result.error) }, result.error);
}

/** Those of `values` that can be read. One record that cannot (of a newer page, say) must not hide the others from a list. */
export function parseReadable<T>(format: RecordFormat<T>, values: readonly unknown[]): T[] {
  return values.flatMap((value) => {
    try {
      return [parseRecord(format, value)];
    } catch (error) {
      if (error instanceof AppError) return [];
      throw error;
    }
  });
}

export const blobSchema = z.instanceof(Blob);
export const countSchema = z.int().min(0);
export const floatsSchema = z.instanceof(Float32Array<ArrayBuffer>);
export const jsonSchema: z.ZodType<Json> = z.json();
