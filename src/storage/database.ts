// The one IndexedDB database of the page. idb-keyval's own createStore can make only one store in a database, so this opens it
// and hands out stores in idb-keyval's form, and transactions over several of them.
import { promisifyRequest, type UseStore } from 'idb-keyval';
import { AppError, isAppError } from '../base/errors';

const databaseName = 'likeness';
const databaseVersion = 2; // 2 adds 'models' and 'router'

const storeNames = [
  'runs',
  'photos',
  'checkpoints',
  'checkpoint-info',
  'previews',
  'latents',
  'loras',
  'models',
  'gallery',
  'chats',
  'settings',
  'router',
] as const;

export type StoreName = (typeof storeNames)[number];

let opened: Promise<IDBDatabase> | undefined;

async function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open(databaseName, databaseVersion);
  request.onupgradeneeded = () => {
    for (const name of storeNames) {
      if (!request.result.objectStoreNames.contains(name)) request.result.createObjectStore(name);
    }
  };
  const database = await promisifyRequest(request);
  const forget = () => (opened = undefined);
  database.onclose = forget; // the browser closed it: the next call opens it again
  database.onversionchange = () => {
    database.close();
    forget();
  };
  return database;
}

function database(): Promise<IDBDatabase> {
  opened ??= openDatabase().catch((error: unknown) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

/** A store in the form that idb-keyval's functions take. Keys are strings or arrays of strings and numbers. */
export function storeOf(name: StoreName): UseStore {
  return async (mode, callback) => callback((await database()).transaction(name, mode).objectStore(name));
}

/** Runs `callback` in one transaction over `names`; resolves when it is committed, and on failure nothing of it is kept. `callback` may only issue requests. */
export async function transact<Name extends StoreName>(
  names: readonly Name[],
  callback: (stores: Readonly<Record<Name, IDBObjectStore>>) => void,
): Promise<void> {
  const transaction = (await database()).transaction(names, 'readwrite');
  const stores = Object.fromEntries(names.map((name) => [name, transaction.objectStore(name)]));
  const committed = promisifyRequest(transaction);
  try {
    callback(stores as Record<Name, IDBObjectStore>);
  } catch (error) {
    committed.catch(() => {}); // told by the throw below
    transaction.abort();
    throw error;
  }
  await committed;
}

/** All keys that are arrays starting with `prefix`. */
export function keysUnder(...prefix: readonly (string | number)[]): IDBKeyRange {
  return IDBKeyRange.bound([...prefix], [...prefix, []]); // an array sorts after every string and number
}

/** The values of all keys that are arrays starting with `prefix`, in the order of the keys. */
export function recordsUnder(store: UseStore, ...prefix: readonly (string | number)[]): Promise<unknown[]> {
  return store('readonly', (objects) => promisifyRequest<unknown[]>(objects.getAll(keysUnder(...prefix))));
}

/** Runs one storage task and names its failure: AppError('storage-full') for a quota, else AppError('storage-failed', { what }). */
export async function guard<T>(what: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (isAppError(error)) throw error;
    if (isQuotaError(error)) throw new AppError('storage-full', { what }, error);
    throw new AppError('storage-failed', { what }, error);
  }
}

/** True for the error of a full disk or quota, which browsers tell by name. */
export function isQuotaError(error: unknown): boolean {
  return error instanceof Error && error.name === 'QuotaExceededError';
}
