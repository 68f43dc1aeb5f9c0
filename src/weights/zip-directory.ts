// The table of contents of a zip archive, read by ranges: which entries it has and where the bytes of each lie. Only entries that are
// stored as they are can be used, so nothing is ever inflated. Format: PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5 (with ZIP64).
import { AppError } from '../base/errors';

export type ZipEntry = {
  readonly sizeBytes: number;
  /** Its content, found when it is asked for first: a header before it, whose length the directory does not know, is read then. */
  readonly content: () => Promise<Blob>;
};

const maxEntries = 100_000; // a Stable Diffusion checkpoint has about 3,000 with its optimizer
const maxDirectoryBytes = 64 * 2 ** 20;

const endSize = 22;
const maxCommentSize = 65535;
const locatorSize = 20;
const end64Size = 56;
const centralSize = 46;
const localSize = 30;

const signature = {
  end: 0x06054b50,
  locator64: 0x07064b50,
  end64: 0x06064b50,
  central: 0x02014b50,
  local: 0x04034b50,
};

class ZipError extends Error {}

/**
 * Every entry of the archive `blob` by its path; of a file that lies on a server, a few ranges are read. Throws AppError('bad-file', { file, reason }) for what is damaged, compressed,
 * encrypted, split, or says that it holds more than the archive has bytes.
 */
export async function readZipDirectory(blob: Blob, fileName: string): Promise<ReadonlyMap<string, ZipEntry>> {
  return named(fileName, () => readEntries(blob, fileName));
}

/** What `read` answers; its failures with the name of the file. */
async function named<T>(fileName: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ZipError)) throw error;
    throw new AppError('bad-file', { file: fileName, reason: error.message }, error);
  }
}

async function viewAt(blob: Blob, begin: number, size: number): Promise<DataView> {
  if (begin < 0 || begin + size > blob.size) throw new ZipError('an offset of the archive points outside it');
  return new DataView(await blob.slice(begin, begin + size).arrayBuffer());
}

async function readEntries(blob: Blob, fileName: string): Promise<ReadonlyMap<string, ZipEntry>> {
  const { begin, size, count } = await findDirectory(blob);
  if (count > maxEntries)
    throw new ZipError(`the archive has ${count} entries, at most ${maxEntries} are read`);
  if (size > maxDirectoryBytes) throw new ZipError('the table of contents of the archive is too large');
  const directory = await viewAt(blob, begin, size);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  let totalBytes = 0;
  for (let i = 0; i < count; i++) {
    const { path, localBegin, bytes, next } = parseCentral(directory, at);
    if (entries.has(path)) throw new ZipError(`the archive holds "${path}" twice`);
    totalBytes += bytes;
    if (totalBytes > begin) throw new ZipError('the entries of the archive are larger than the archive');
    if (localBegin + localSize + bytes > begin)
      throw new ZipError(`"${path}" reaches past the archive’s data`);
    let content: Promise<Blob> | undefined;
    entries.set(path, {
      sizeBytes: bytes,
      content: () =>
        (content ??= named(fileName, async () => {
          const contentBegin = await findContent(blob, localBegin, path);
          if (contentBegin + bytes > begin) throw new ZipError(`"${path}" reaches past the archive’s data`);
          return blob.slice(contentBegin, contentBegin + bytes);
        })),
    });
    at = next;
  }
  return entries;
}

/** Where the central directory is: told by the record at the archive's end, or by its ZIP64 twin where a field of that is full. */
async function findDirectory(blob: Blob): Promise<{ begin: number; size: number; count: number }> {
  const tailSize = Math.min(blob.size, endSize + maxCommentSize);
  const tail = await viewAt(blob, blob.size - tailSize, tailSize);
  let at = tailSize - endSize;
  while (
    at >= 0 &&
    (tail.getUint32(at, true) !== signature.end || tail.getUint16(at + 20, true) !== tailSize - endSize - at)
  )
    at--;
  if (at < 0) throw new ZipError('the archive is cut short: its table of contents is missing');
  if (tail.getUint16(at + 4, true) !== 0 && tail.getUint16(at + 4, true) !== 0xffff)
    throw new ZipError('the archive is split in parts');
  const locator = at - locatorSize;
  if (locator >= 0 && tail.getUint32(locator, true) === signature.locator64) {
    const end64 = await viewAt(blob, readUint64(tail, locator + 8), end64Size);
    if (end64.getUint32(0, true) !== signature.end64)
      throw new ZipError('the table of contents of the archive is damaged');
    return { count: readUint64(end64, 32), size: readUint64(end64, 40), begin: readUint64(end64, 48) };
  }
  return {
    count: tail.getUint16(at + 10, true),
    size: tail.getUint32(at + 12, true),
    begin: tail.getUint32(at + 16, true),
  };
}

function parseCentral(view: DataView, at: number) {
  if (at + centralSize > view.byteLength || view.getUint32(at, true) !== signature.central)
    throw new ZipError('the table of contents of the archive is damaged');
  const nameSize = view.getUint16(at + 28, true);
  const extraSize = view.getUint16(at + 30, true);
  const next = at + centralSize + nameSize + extraSize + view.getUint16(at + 32, true);
  if (next > view.byteLength) throw new ZipError('the table of contents of the archive is damaged');
  const name = new Uint8Array(view.buffer, view.byteOffset + at + centralSize, nameSize);
  const path = new TextDecoder().decode(name);
  if (view.getUint16(at + 8, true) & 1) throw new ZipError(`"${path}" is encrypted`);
  if (view.getUint16(at + 10, true) !== 0)
    throw new ZipError(`"${path}" is compressed; PyTorch stores everything as it is`);
  const sizes = new Zip64Sizes(view, at + centralSize + nameSize, extraSize);
  const bytes = sizes.next(view.getUint32(at + 24, true)); // the order of the ZIP64 field: full size, stored size, offset
  const storedBytes = sizes.next(view.getUint32(at + 20, true));
  const localBegin = sizes.next(view.getUint32(at + 42, true));
  if (bytes !== storedBytes) throw new ZipError(`"${path}" says that it is ${bytes} bytes in ${storedBytes}`);
  return { path, localBegin, bytes, next };
}

/** The 64-bit numbers of an entry, in turn, for those whose 32 bits are all set (APPNOTE 4.5.3). */
class Zip64Sizes {
  readonly #view: DataView;
  #at = 0;
  #end = 0;

  constructor(view: DataView, begin: number, size: number) {
    this.#view = view;
    for (let at = begin; at + 4 <= begin + size; at += 4 + view.getUint16(at + 2, true)) {
      if (view.getUint16(at, true) !== 1) continue;
      this.#at = at + 4;
      this.#end = Math.min(begin + size, at + 4 + view.getUint16(at + 2, true));
    }
  }

  next(short: number): number {
    if (short !== 0xffffffff) return short;
    if (this.#at + 8 > this.#end) throw new ZipError('a size in the archive is missing');
    this.#at += 8;
    return readUint64(this.#view, this.#at - 8);
  }
}

/** The content begins behind the entry's own header, whose extra field may differ from the directory's (PyTorch aligns with it). */
async function findContent(blob: Blob, begin: number, path: string): Promise<number> {
  const view = await viewAt(blob, begin, localSize);
  if (view.getUint32(0, true) !== signature.local) throw new ZipError(`the header of "${path}" is damaged`);
  return begin + localSize + view.getUint16(26, true) + view.getUint16(28, true);
}

function readUint64(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(value)) throw new ZipError('a size in the archive is damaged');
  return value;
}
