// Where the bytes of a model file go while they come in: a file of the origin private file system, or memory where there is no
// such file or no room. A synchronous access handle is used because it keeps what was written when the tab is killed.
import { isQuotaError } from './database';

export type Sink = {
  /** Bytes written so far, by an earlier session too. */
  readonly size: () => number;
  /** Reads into `target` from `at`; answers how many bytes. */
  readonly read: (target: Uint8Array<ArrayBuffer>, at: number) => number;
  /** False where there was no room; the sink is then as it was before. */
  readonly append: (bytes: Uint8Array<ArrayBuffer>) => boolean;
  readonly clear: () => void;
  /** Makes everything written durable and lets go of the file. */
  readonly close: () => void;
};

export type MemorySink = Sink & { readonly bytes: () => Uint8Array<ArrayBuffer> };

// What TypeScript's DOM library leaves out: the method exists in workers only.
type SyncAccess = {
  readonly getSize: () => number;
  readonly read: (target: Uint8Array<ArrayBuffer>, options: { readonly at: number }) => number;
  readonly write: (bytes: Uint8Array<ArrayBuffer>, options: { readonly at: number }) => number;
  readonly truncate: (size: number) => void;
  readonly flush: () => void;
  readonly close: () => void;
};
type SyncAccessible = FileSystemFileHandle & { readonly createSyncAccessHandle?: () => Promise<SyncAccess> };

const flushEveryBytes = 16 * 2 ** 20;

/** A sink on `file`, after what it holds; undefined where it cannot be opened (not in a worker, or open elsewhere). */
export async function openFileSink(file: FileSystemFileHandle): Promise<Sink | undefined> {
  const accessible = file as SyncAccessible;
  if (accessible.createSyncAccessHandle === undefined) return undefined;
  let access: SyncAccess;
  try {
    access = await accessible.createSyncAccessHandle();
  } catch {
    return undefined; // locked by another worker, or refused: memory does as well
  }
  let size = access.getSize();
  let flushed = size;
  const truncate = (to: number) => {
    access.truncate(to);
    size = to;
    flushed = Math.min(flushed, to);
  };
  return {
    size: () => size,
    read: (target, at) => access.read(target, { at }),
    append: (bytes) => {
      try {
        const written = access.write(bytes, { at: size });
        if (written < bytes.length) {
          truncate(size);
          return false;
        }
        size += written;
        if (size - flushed >= flushEveryBytes) {
          access.flush();
          flushed = size;
        }
        return true;
      } catch (error) {
        if (!isQuotaError(error)) throw error;
        truncate(size);
        return false;
      }
    },
    clear: () => truncate(0),
    close: () => {
      try {
        access.flush();
      } finally {
        access.close();
      }
    },
  };
}

/** A sink in memory for at most `capacity` bytes, starting with what `start` holds. */
export function createMemorySink(capacity: number, start?: Sink): MemorySink {
  const buffer = new Uint8Array(capacity);
  let size = 0;
  if (start !== undefined) {
    size = start.size();
    start.read(buffer.subarray(0, size), 0);
  }
  return {
    size: () => size,
    read: (target, at) => {
      const part = buffer.subarray(at, Math.min(size, at + target.length));
      target.set(part);
      return part.length;
    },
    append: (bytes) => {
      buffer.set(bytes, size);
      size += bytes.length;
      return true;
    },
    clear: () => {
      size = 0;
    },
    close: () => {},
    bytes: () => buffer.subarray(0, size),
  };
}
