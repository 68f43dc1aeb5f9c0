// The files of base models, each stored once by the hash of its content in the origin private file system:
// "models/<sha256>" is verified, "models/<sha256>.part" is on its way. Without such storage a file is held in memory.
import { AppError } from '../base/errors';
import { download, type DownloadOptions } from './model-download';
import type { ModelFile } from './model-manifest';
import { createMemorySink, openFileSink } from './model-sink';

export type ModelFileOptions = DownloadOptions & {
  /** Default: the origin private file system; undefined answers mean that there is none. */
  readonly root?: (() => Promise<FileSystemDirectoryHandle | undefined>) | undefined;
  readonly locks?: Pick<LockManager, 'request'> | undefined;
};

const folderName = 'models';

async function originRoot(): Promise<FileSystemDirectoryHandle | undefined> {
  return globalThis.navigator?.storage?.getDirectory?.();
}

/**
 * The content of `file`: stored already, or downloaded, verified and stored now. Where nothing can be stored the answer is in memory,
 * unless `whenFull` says 'fail'. Throws AppError('file-missing' | 'download-failed', { file, … }); an abort rejects and keeps what was loaded.
 */
export function openModelFile(file: ModelFile, options: ModelFileOptions): Promise<Blob> {
  const { locks = globalThis.navigator?.locks, signal } = options;
  if (locks === undefined) return open(file, options);
  // The second tab waits for the first and then finds the file.
  return locks.request(`likeness-model:${file.sha256}`, { ...(signal && { signal }) }, () =>
    open(file, options),
  );
}

/** The content of `file` where it is stored and verified, else undefined. */
export async function storedModelFile(file: ModelFile, root = originRoot): Promise<Blob | undefined> {
  const folder = await openFolder(root);
  return folder && storedFile(folder, file);
}

async function open(file: ModelFile, options: ModelFileOptions): Promise<Blob> {
  const folder = await openFolder(options.root ?? originRoot);
  if (folder === undefined) return downloadToMemory(file, options);
  const stored = await storedFile(folder, file);
  if (stored !== undefined) {
    options.onProgress?.(file.sizeBytes);
    return stored;
  }
  const partName = `${file.sha256}.part`;
  const part = await folder.getFileHandle(partName, { create: true }).catch(() => undefined);
  const sink = part && (await openFileSink(part));
  if (part === undefined || sink === undefined) return downloadToMemory(file, options);
  try {
    const memory = await download(file, sink, options);
    if (memory !== undefined) {
      sink.clear(); // no room here: leave it to what is smaller
      sink.close();
      await folder.removeEntry(partName);
      return new Blob([memory.bytes()]);
    }
  } catch (error) {
    const isEmpty = sink.size() === 0;
    sink.close();
    if (isEmpty) await folder.removeEntry(partName);
    throw error;
  }
  sink.close();
  await rename(folder, part, file.sha256);
  return (await storedFile(folder, file)) ?? downloadToMemory(file, options);
}

async function openFolder(
  root: () => Promise<FileSystemDirectoryHandle | undefined>,
): Promise<FileSystemDirectoryHandle | undefined> {
  try {
    return await (await root())?.getDirectoryHandle(folderName, { create: true });
  } catch {
    return undefined; // refused, as in some private windows: the model works from memory
  }
}

async function storedFile(folder: FileSystemDirectoryHandle, file: ModelFile): Promise<Blob | undefined> {
  const handle = await folder.getFileHandle(file.sha256).catch(() => undefined);
  const stored = await handle?.getFile();
  return stored?.size === file.sizeBytes ? stored : undefined;
}

async function downloadToMemory(file: ModelFile, options: DownloadOptions): Promise<Blob> {
  if (options.whenFull === 'fail') {
    throw new AppError('storage-failed', { what: file.path, reason: 'the browser gives no place for files' });
  }
  const sink = createMemorySink(file.sizeBytes);
  await download(file, sink, options);
  return new Blob([sink.bytes()]);
}

type Movable = FileSystemFileHandle & { readonly move?: (name: string) => Promise<void> };

// The file gets its final name only when it is verified. `move` is in every engine but not in the standard yet.
async function rename(folder: FileSystemDirectoryHandle, part: Movable, name: string): Promise<void> {
  if (part.move !== undefined) return part.move(name);
  const content = await part.getFile();
  const copy = await folder.getFileHandle(name, { create: true });
  const stream = await copy.createWritable(); // takes effect when it is closed, whole or not at all
  await content.stream().pipeTo(stream);
  await folder.removeEntry(part.name);
}

export type StoredModelFile = { readonly name: string; readonly sizeBytes: number };

/** The stored files, verified and partial, by content hash. */
export async function listModelFiles(root = originRoot): Promise<readonly StoredModelFile[]> {
  const folder = await openFolder(root);
  const files: StoredModelFile[] = [];
  if (folder === undefined) return files;
  for await (const handle of folder.values()) {
    if (handle.kind === 'file') files.push({ name: handle.name, sizeBytes: (await handle.getFile()).size });
  }
  return files;
}

/** Removes stored files: those of `hashes`, or all. */
export async function removeModelFiles(hashes?: readonly string[], root = originRoot): Promise<void> {
  const folder = await openFolder(root);
  if (folder === undefined) return;
  for (const { name } of await listModelFiles(root)) {
    if (hashes === undefined || hashes.includes(name.replace(/\.part$/, ''))) await folder.removeEntry(name);
  }
}
