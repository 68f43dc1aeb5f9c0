// What a person drops or pastes: files, folders with files in them, or a picture of another page by its address.

export type Dropped = { readonly files: readonly File[]; readonly url: string | undefined };

/** Reads a drop or paste. Entries must be taken at once: the transfer is empty after the event. */
export async function readDropped(transfer: DataTransfer): Promise<Dropped> {
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const plain = [...transfer.files];
  const url = firstUrl(transfer);
  const folders = entries.filter((entry) => entry.isDirectory);
  if (folders.length === 0) return { files: plain, url: plain.length === 0 ? url : undefined };
  const inside = await Promise.all(folders.map((folder) => filesIn(folder as FileSystemDirectoryEntry)));
  const single = await Promise.all(
    entries.filter((entry) => entry.isFile).map((entry) => fileOf(entry as FileSystemFileEntry)),
  );
  return { files: [...single, ...inside.flat().filter(looksLikePicture)], url: undefined };
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

async function filesIn(folder: FileSystemDirectoryEntry): Promise<File[]> {
  const reader = folder.createReader();
  const found: File[] = [];
  for (;;) {
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (entries.length === 0) return found; // a reader answers in batches, an empty one is the end
    for (const entry of entries) {
      if (entry.isDirectory) found.push(...(await filesIn(entry as FileSystemDirectoryEntry)));
      else found.push(await fileOf(entry as FileSystemFileEntry));
    }
  }
}
