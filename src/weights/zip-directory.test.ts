import { describe, expect, test } from 'vitest';
import { makeZip, type EntryToZip, type ZipOptions } from './testing/zip';
import { readZipDirectory } from './zip-directory';

/** A blob behind `base` bytes that nobody may ask for; Node's own end at 4 GB. */
class BlobAt extends Blob {
  readonly #base: number;
  readonly #blob: Blob;

  constructor(base: number, blob: Blob) {
    super();
    this.#base = base;
    this.#blob = blob;
  }

  override get size(): number {
    return this.#base + this.#blob.size;
  }

  override slice(begin: number, end: number): Blob {
    if (begin < this.#base) throw new Error(`${begin} to ${end} was read`);
    return this.#blob.slice(begin - this.#base, end - this.#base);
  }
}

const content = (text: string) => new TextEncoder().encode(text);
const two: EntryToZip[] = [
  { path: 'a/data.pkl', content: content('first') },
  { path: 'a/data/0', content: content('second') },
];

async function contents(blob: Blob): Promise<Record<string, string>> {
  const entries = await readZipDirectory(blob, 'model.ckpt');
  const texts = [...entries].map(async ([path, { content }]) => [path, await (await content()).text()]);
  return Object.fromEntries(await Promise.all(texts)) as Record<string, string>;
}

describe('entries and where their content lies', () => {
  test.each<[string, Blob]>([
    ['of an archive', makeZip(two)],
    [
      'behind a comment that looks like an end record',
      makeZip(two, { comment: 'PK\x05\x06 and so on, for as long as it takes' }),
    ],
    ['with ZIP64 end record', makeZip(two, { zip64: true })],
    ['with ZIP64 sizes', makeZip(two.map((entry) => ({ ...entry, zip64: true })))],
  ])('%s', async (_, blob) => {
    expect(await contents(blob)).toEqual({ 'a/data.pkl': 'first', 'a/data/0': 'second' });
  });

  test('of an archive over 4 GB, of which only the ends are read', async () => {
    const base = 5 * 2 ** 30;
    const padding = { path: 'a/padding', content: new Uint8Array(2 ** 16) }; // as long as a comment may be
    const entries = [padding, ...two].map((entry) => ({ ...entry, zip64: true }));
    const blob = new BlobAt(base, makeZip(entries, { zip64: true, base }));
    expect(await contents(blob)).toMatchObject({ 'a/data.pkl': 'first', 'a/data/0': 'second' });
  });
});

describe('is refused', () => {
  const [first, second] = two as [EntryToZip, EntryToZip];
  test.each<[string, readonly EntryToZip[], ZipOptions, string]>([
    [
      'a compressed entry',
      [{ ...first, method: 8, fullBytes: 2 ** 31 }],
      {},
      '"a/data.pkl" is compressed; PyTorch stores everything as it is',
    ],
    ['an encrypted entry', [{ ...first, flags: 1 }], {}, '"a/data.pkl" is encrypted'],
    [
      'an entry that grows',
      [{ ...first, fullBytes: 5_000_000 }],
      {},
      '"a/data.pkl" says that it is 5000000 bytes in 5',
    ],
    [
      'an entry larger than the archive',
      [{ ...first, fullBytes: 5_000_000, storedBytes: 5_000_000 }],
      {},
      'the entries of the archive are larger than the archive',
    ],
    [
      'an entry of 2^53 bytes',
      [{ ...first, fullBytes: 2 ** 53, storedBytes: 2 ** 53, zip64: true }],
      {},
      'a size in the archive is damaged',
    ],
    ['an entry outside', [{ ...first, offset: 10_000 }], {}, '"a/data.pkl" reaches past the archive’s data'],
    [
      'an entry that begins elsewhere',
      [{ ...first, offset: 3 }],
      {},
      'the header of "a/data.pkl" is damaged',
    ],
    ['one path twice', [first, { ...second, path: first.path }], {}, 'the archive holds "a/data.pkl" twice'],
    ['more entries than there are', two, { count: 3 }, 'the table of contents of the archive is damaged'],
    [
      'entries without end',
      two,
      { count: 2 ** 40, zip64: true },
      'the archive has 1099511627776 entries, at most 100000 are read',
    ],
  ])('%s', async (_, entries, options, reason) => {
    await expect(contents(makeZip(entries, options))).rejects.toMatchObject({
      code: 'bad-file',
      details: { file: 'model.ckpt', reason },
    });
  });

  test('many entries over the same bytes', async () => {
    const kernel = { path: '0', content: new Uint8Array(1000) };
    const overlapping = Array.from({ length: 50 }, (_, i) => ({
      ...kernel,
      path: String(i),
      content: i === 0 ? kernel.content : new Uint8Array(0),
      storedBytes: 1000,
      fullBytes: 1000,
      offset: 0,
    }));
    await expect(readZipDirectory(makeZip(overlapping), 'f')).rejects.toMatchObject({
      details: { reason: 'the entries of the archive are larger than the archive' },
    });
  });

  test('an archive cut anywhere', async () => {
    const whole = makeZip(two);
    for (let size = 0; size < whole.size; size++)
      await expect(readZipDirectory(whole.slice(0, size), 'f')).rejects.toMatchObject({ code: 'bad-file' });
  });
});
