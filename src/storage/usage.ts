// What is stored and how large, by kind; removal by kind; the browser's own figures.
import { promisifyRequest } from 'idb-keyval';
import { guard, storeOf, transact, type StoreName } from './database';
import { listModelFiles, removeModelFiles } from './model-files';

export type StoredKind = 'subjects' | 'checkpoints' | 'latents' | 'gallery' | 'loras' | 'chats' | 'models';

export type KindUsage = { readonly kind: StoredKind; readonly items: number; readonly sizeBytes: number };

// What of each kind is counted (items of the first store, sizes of all), and what goes with it.
const kinds: Readonly<
  Record<
    Exclude<StoredKind, 'models'>,
    { readonly counted: readonly StoreName[]; readonly removed: readonly StoreName[] }
  >
> = {
  subjects: {
    counted: ['runs', 'photos', 'previews'],
    removed: ['runs', 'photos', 'previews', 'checkpoints', 'checkpoint-info', 'latents'],
  },
  checkpoints: { counted: ['checkpoint-info'], removed: ['checkpoints', 'checkpoint-info'] },
  latents: { counted: ['latents'], removed: ['latents'] },
  gallery: { counted: ['gallery'], removed: ['gallery'] },
  loras: { counted: ['loras'], removed: ['loras'] },
  chats: { counted: ['chats'], removed: ['chats'] },
};

type Root = Parameters<typeof listModelFiles>[0];

/** Items and bytes of every kind. Bytes are those of files, pictures and numbers; names and texts are not counted. */
export function storageUsage(root?: Root): Promise<readonly KindUsage[]> {
  return guard('usage', async () => {
    const usages: KindUsage[] = [];
    for (const [kind, { counted }] of Object.entries(kinds)) {
      let items = 0;
      let sizeBytes = 0;
      for (const name of counted) {
        const sizes = await recordSizes(name);
        if (name === counted[0]) items = sizes.length;
        sizeBytes += sizes.reduce((sum, size) => sum + size, 0);
      }
      usages.push({ kind: kind as StoredKind, items, sizeBytes });
    }
    const files = await listModelFiles(root);
    const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
    return [...usages, { kind: 'models', items: files.length, sizeBytes }];
  });
}

// One record in memory at a time.
function recordSizes(name: StoreName): Promise<readonly number[]> {
  return storeOf(name)('readonly', async (store) => {
    const sizes: number[] = [];
    const request = store.openCursor();
    for (let cursor = await promisifyRequest(request); cursor !== null;) {
      sizes.push(recordSize(cursor.value));
      cursor.continue();
      cursor = await promisifyRequest(request);
    }
    return sizes;
  });
}

function recordSize(record: unknown): number {
  if (typeof record !== 'object' || record === null) return 0;
  if ('slot' in record && 'sizeBytes' in record) return Number(record.sizeBytes); // stands for a checkpoint
  return Object.values(record).reduce<number>((sum, value) => {
    if (value instanceof Blob) return sum + value.size;
    return ArrayBuffer.isView(value) ? sum + value.byteLength : sum;
  }, 0);
}

/** Removes everything of a kind: subjects with their checkpoints and latents; the bundled model is loaded again when it is next used. */
export function removeKind(kind: StoredKind, root?: Root): Promise<void> {
  if (kind === 'models') {
    return guard('models', async () => {
      await transact(['models'], (stores) => stores.models.clear());
      await removeModelFiles(undefined, root);
    });
  }
  const { removed } = kinds[kind];
  return guard(kind, () =>
    transact(removed, (stores) => {
      for (const name of removed) stores[name].clear();
    }),
  );
}

export type StorageEstimate = {
  readonly usedBytes: number;
  readonly quotaBytes: number;
  readonly isPersistent: boolean; // the browser will not remove it by itself
};

// `persist` is there in pages, not in workers.
type BrowserStorage = Pick<StorageManager, 'estimate' | 'persisted'> & {
  readonly persist?: () => Promise<boolean>;
};

/** The browser's figures for this origin; undefined where it does not tell. */
export async function estimateStorage(
  storage: BrowserStorage | undefined = globalThis.navigator?.storage,
): Promise<StorageEstimate | undefined> {
  if (storage === undefined) return undefined;
  const [{ usage = 0, quota = 0 }, isPersistent] = await Promise.all([
    storage.estimate(),
    storage.persisted(),
  ]);
  return { usedBytes: usage, quotaBytes: quota, isPersistent };
}

/** Asks the browser to keep what is stored; answers whether it will. */
export async function requestPersistence(
  storage: BrowserStorage | undefined = globalThis.navigator?.storage,
): Promise<boolean> {
  return (await storage?.persist?.()) ?? false;
}
