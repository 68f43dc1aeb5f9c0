// An origin private file system in memory, as far as storage/ uses it: names, files, synchronous access handles, move, a quota.

export type MemoryDisk = {
  readonly root: () => Promise<FileSystemDirectoryHandle>;
  /** Contents by path, "models/<name>". */
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;
  quotaBytes: number;
  readonly log: string[]; // flushes, with the size then
};

/** `has` leaves out what some browsers do not have. */
export function createMemoryDisk(has = { access: true, move: true }): MemoryDisk {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const open = new Set<string>();
  const disk: MemoryDisk = { root: async () => directory(''), files, quotaBytes: Infinity, log: [] };
  const missing = (path: string) => new DOMException(`no ${path}`, 'NotFoundError');
  const used = () => [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);

  function put(path: string, bytes: Uint8Array<ArrayBuffer>): void {
    if (used() - (files.get(path)?.length ?? 0) + bytes.length > disk.quotaBytes) {
      throw new DOMException('full', 'QuotaExceededError');
    }
    files.set(path, bytes);
  }

  async function createSyncAccessHandle(path: string) {
    if (open.has(path)) throw new DOMException('open', 'NoModificationAllowedError');
    open.add(path);
    const read = () => {
      if (!open.has(path)) throw new DOMException('closed', 'InvalidStateError');
      return files.get(path)!;
    };
    return {
      getSize: () => read().length,
      read: (target: Uint8Array, { at }: { at: number }) => {
        const part = read().subarray(at, at + target.length);
        target.set(part);
        return part.length;
      },
      write: (bytes: Uint8Array, { at }: { at: number }) => {
        const old = read();
        const grown = new Uint8Array(Math.max(old.length, at + bytes.length));
        grown.set(old);
        grown.set(bytes, at);
        put(path, grown);
        return bytes.length;
      },
      truncate: (size: number) => put(path, read().slice(0, size)),
      flush: () => disk.log.push(`flush ${read().length}`),
      close: () => open.delete(path),
    };
  }

  function file(path: string) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    return {
      kind: 'file',
      name,
      getFile: async () => {
        const bytes = files.get(path);
        if (!bytes) throw missing(path);
        return new File([bytes], name);
      },
      ...(has.access && { createSyncAccessHandle: () => createSyncAccessHandle(path) }),
      ...(has.move && {
        move: async (to: string) => {
          if (open.has(path)) throw new DOMException('open', 'NoModificationAllowedError');
          files.set(path.slice(0, path.lastIndexOf('/') + 1) + to, files.get(path)!);
          files.delete(path);
        },
      }),
      createWritable: async () => {
        const chunks: Uint8Array<ArrayBuffer>[] = [];
        return new WritableStream<Uint8Array<ArrayBuffer>>({
          write: (chunk) => void chunks.push(chunk),
          close: async () => put(path, new Uint8Array(await new Blob(chunks).arrayBuffer())),
        });
      },
    };
  }

  function directory(prefix: string): FileSystemDirectoryHandle {
    const handle = {
      kind: 'directory',
      getDirectoryHandle: async (name: string) => directory(`${prefix}${name}/`),
      getFileHandle: async (name: string, { create = false } = {}) => {
        if (!files.has(prefix + name)) {
          if (!create) throw missing(prefix + name);
          put(prefix + name, new Uint8Array());
        }
        return file(prefix + name);
      },
      removeEntry: async (name: string) => {
        if (!files.delete(prefix + name)) throw missing(prefix + name);
      },
      values: async function* () {
        for (const path of [...files.keys()]) if (path.startsWith(prefix)) yield file(path);
      },
    };
    return handle as unknown as FileSystemDirectoryHandle;
  }
  return disk;
}
