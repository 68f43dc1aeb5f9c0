// Small records that outlive a request: quota ledgers, stops, the model list. The place is the caller's (IndexedDB, memory).
import type { z } from 'zod';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type RouterStore = {
  /** The stored value, or undefined. */
  get(key: string): Promise<unknown>;
  /** Replaces the value by `change(value)` in one transaction that other tabs see whole; resolves to the new value. */
  update(key: string, change: (value: unknown) => Json): Promise<unknown>;
};

/** The record under `key`; `empty` where there is none, or one that this version does not understand: all of them can be made again. */
export async function readRecord<T>(
  store: RouterStore,
  key: string,
  schema: z.ZodType<T>,
  empty: T,
): Promise<T> {
  const parsed = schema.safeParse(await store.get(key));
  return parsed.success ? parsed.data : empty;
}

/** Changes the record under `key` in one transaction and returns the new one. */
export async function changeRecord<T extends Json>(
  store: RouterStore,
  key: string,
  schema: z.ZodType<T>,
  empty: T,
  change: (record: T) => T,
): Promise<T> {
  const stored = await store.update(key, (value) => {
    const parsed = schema.safeParse(value);
    return change(parsed.success ? parsed.data : empty);
  });
  return schema.parse(stored);
}
