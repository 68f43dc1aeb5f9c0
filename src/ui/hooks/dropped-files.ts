// What a person drops or pastes: files, folders with files in them, or a picture of another page by its address.

export type Dropped = { readonly files: readonly File[]; readonly url: string | undefined };

/** A file with its path in what was dropped: "folder/unet/config.json". */
type DroppedFile = { readonly path: string; readonly file: File };

/** Reads a drop or paste. Entries must be taken at once: the transfer is empty after the event. */
export async function readDropped(transfer: DataTransfer): Promise<Dropped> {
  const url = firstUrl(transfer);
  const all = await readDroppedFiles(transfer);
  const files = all.filter(({ path, file }) => !path.includes('/') || looksLikePicture(file));
  return { files: files.map(({ file }) => file), url: all.length === 0 ? url : undefined };
}

/** Every file of a drop or paste, those in folders too. */
export async function readDroppedFiles(transfer: DataTransfer): Promise<readonly DroppedFile[]> {
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (!entries.some((entry) => entry.isDirectory))
    return [...transfer.files].map((file) => ({ path: file.name, file }));
  return (await Promise.all(entries.map(filesOf))).flat();
}

function firstUrl(transfer: DataTransfer): string | undefined {
  const list = transfer.getData('text/uri-list');
  const url = list.split('\n').find((line) => line !== '' && !line.startsWith('#'));
  return url && /^(https?|data|blob):/.test(url) ? url.trim() : undefined;
}

/** In a folder other files are left out without a word; a file that was dropped itself is always looked at. */
export const looksLikePicture = ({ name, type }: File): boolean =>
  type.startsWith('image/') || /\.(jpe?g|png|webp|avif|gif|bmp|heic|heif)$/i.test(name);

const fileOf = (entry: FileSystemFileEntry) =>
  new Promise<File>((resolve, reject) => entry.file(resolve, reject));

/** The file, or all files in the folder and its folders. */
async function filesOf(entry: FileSystemEntry): Promise<DroppedFile[]> {
  if (entry.isFile)
    return [{ path: entry.fullPath.slice(1), file: await fileOf(entry as FileSystemFileEntry) }];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: DroppedFile[] = [];
  for (;;) {
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (entries.length === 0) return found; // a reader answers in batches, an empty one is the end
    for (const one of entries) found.push(...(await filesOf(one)));
  }
}
