// The router's small records: quota ledgers, stops, the model list. Their form is the router's own; a change is one transaction, so
// that tabs which send at the same moment count each other's requests.
import { get, update } from 'idb-keyval';
import { guard, storeOf } from './database';
import type { Json } from './record';

const records = storeOf('router');

/** The stored value, or undefined. */
export function readRouterRecord(key: string): Promise<unknown> {
  return guard('router', () => get<unknown>(key, records));
}

/** Replaces the value by `change(value)`; resolves to the new value. */
export function changeRouterRecord(key: string, change: (value: unknown) => Json): Promise<unknown> {
  return guard('router', async () => {
    let changed: Json = null;
    await update<unknown>(key, (value) => (changed = change(value)), records);
    return changed;
  });
}
