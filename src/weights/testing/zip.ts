// Zip archives made by hand, so that any field can say what it should not. For tests only.

export type EntryToZip = {
  readonly path: string;
  readonly content: Uint8Array<ArrayBuffer>;
  readonly method?: number;
  readonly flags?: number;
  readonly fullBytes?: number; // what the directory says, where that is not the content's size
  readonly storedBytes?: number;
  readonly offset?: number;
  readonly zip64?: boolean; // sizes and offset in the ZIP64 field
};

export type ZipOptions = {
  readonly zip64?: boolean; // a ZIP64 end record besides
  readonly count?: number; // entries that the end record says there are
  readonly comment?: string;
  readonly base?: number; // how many bytes stand before it
};

const fields = (...values: readonly (readonly [16 | 32 | 64, number])[]): Uint8Array<ArrayBuffer> => {
  const view = new DataView(new ArrayBuffer(values.reduce((sum, [bits]) => sum + bits / 8, 0)));
  let at = 0;
  for (const [bits, value] of values) {
    if (bits === 16) view.setUint16(at, value, true);
    else if (bits === 32) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += bits / 8;
  }
  return new Uint8Array(view.buffer);
};

const bytes = (text: string) => new TextEncoder().encode(text);

/** The archive of `entries`. */
export function makeZip(entries: readonly EntryToZip[], options: ZipOptions = {}): Blob {
  const data: Uint8Array<ArrayBuffer>[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let at = options.base ?? 0;
  for (const entry of entries) {
    const path = bytes(entry.path);
    const { method = 0, flags = 0, content, zip64 = false } = entry;
    const stored = entry.storedBytes ?? content.length;
    const full = entry.fullBytes ?? content.length;
    const offset = entry.offset ?? at;
    const padding = fields([16, 0x4246], [16, 3], [16, 0]); // as PyTorch's, of a size that the directory does not know
    const local = [
      fields([32, 0x04034b50], [16, 0], [16, flags], [16, method], [32, 0], [32, 0]),
      fields([32, stored], [32, full], [16, path.length], [16, padding.length + 1]),
      path,
      padding,
      new Uint8Array(1),
      content,
    ];
    const extra = zip64
      ? fields([16, 1], [16, 24], [64, full], [64, stored], [64, offset])
      : new Uint8Array(0);
    const short = (value: number) => (zip64 ? 0xffffffff : value);
    directory.push(
      fields([32, 0x02014b50], [16, 0], [16, 0], [16, flags], [16, method], [32, 0], [32, 0]),
      fields([32, short(stored)], [32, short(full)], [16, path.length], [16, extra.length], [16, 0], [16, 0]),
      fields([16, 0], [32, 0], [32, short(offset)]),
      path,
      extra,
    );
    data.push(...local);
    at += local.reduce((sum, part) => sum + part.length, 0);
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const count = options.count ?? entries.length;
  const end64 = [
    fields(
      [32, 0x06064b50],
      [64, 44],
      [16, 45],
      [16, 45],
      [32, 0],
      [32, 0],
      [64, count],
      [64, count],
      [64, size],
      [64, at],
    ),
    fields([32, 0x07064b50], [32, 0], [64, at + size], [32, 1]),
  ];
  const short = (value: number, full: number) => (options.zip64 ? full : value);
  const comment = bytes(options.comment ?? '');
  const end = [
    fields([32, 0x06054b50], [16, 0], [16, 0], [16, short(count, 0xffff)], [16, short(count, 0xffff)]),
    fields([32, short(size, 0xffffffff)], [32, short(at, 0xffffffff)], [16, comment.length]),
    comment,
  ];
  return new Blob([...data, ...directory, ...(options.zip64 ? end64 : []), ...end]);
}
