// Where the person's OpenRouter key is kept: for this tab nowhere, for this session in sessionStorage, for this browser in localStorage.
// Not in IndexedDB: any script of the origin reads either, and localStorage tells other tabs at once that a key was forgotten.
import { z } from 'zod';
import { guard } from './database';

export type KeyPlace = 'tab' | 'session' | 'browser';
type KeptKey = { readonly key: string; readonly label: string | undefined };
type StoragePlace = Exclude<KeyPlace, 'tab'>;

const name = 'likeness-openrouter-key';
const schema = z.strictObject({ version: z.literal(1), key: z.string(), label: z.string().optional() });

export type KeyStorage = {
  /** The kept key and its place; one that cannot be read counts as none. */
  load(): Promise<{ readonly place: StoragePlace; readonly kept: KeptKey } | undefined>;
  /** Keeps the key at `place` and nowhere else. Throws AppError('storage-full' | 'storage-failed'). */
  save(place: KeyPlace, kept: KeptKey): Promise<void>;
  /** Removes the key wherever it is kept. */
  remove(): Promise<void>;
  /** Calls `changed` when another tab kept or removed the browser's key. */
  watch(changed: () => void): void;
};

/** What is used of window: its two storages and their event. */
export type KeyWindow = {
  readonly sessionStorage: Storage;
  readonly localStorage: Storage;
  addEventListener(kind: 'storage', listener: (event: { readonly key: string | null }) => void): void;
};

/** The key's storage in a window. The storages are touched only when used: some browsers throw there. */
export function createKeyStorage(view: KeyWindow): KeyStorage {
  const storageOf = (place: StoragePlace) => (place === 'session' ? view.sessionStorage : view.localStorage);
  const removeBoth = () => {
    storageOf('session').removeItem(name);
    storageOf('browser').removeItem(name);
  };
  return {
    load: () =>
      guard('key', async () => {
        for (const place of ['session', 'browser'] as const) {
          const kept = parse(storageOf(place).getItem(name));
          if (kept) return { place, kept };
        }
        return undefined;
      }),
    save: (place, { key, label }) =>
      guard('key', async () => {
        removeBoth();
        if (place === 'tab') return;
        storageOf(place).setItem(name, JSON.stringify({ version: 1, key, label }));
      }),
    remove: () => guard('key', async () => removeBoth()),
    watch: (changed) => {
      view.addEventListener('storage', ({ key }) => {
        if (key === name || key === null) changed(); // null: everything was cleared
      });
    },
  };
}

function parse(text: string | null): KeptKey | undefined {
  try {
    const { data } = schema.safeParse(JSON.parse(text ?? 'null'));
    return data && { key: data.key, label: data.label };
  } catch {
    return undefined; // not JSON: written by something else
  }
}
