// Tells what a file is by its first bytes, never by its name, and reads the pixel size where the header has it at a fixed
// place or, for JPEG, in the frame header. Pure; decoding is decode-photo.ts.

export type PhotoFormat = 'jpeg' | 'png' | 'gif' | 'webp' | 'bmp' | 'tiff' | 'avif' | 'heic';

/** Media types, so that a browser that goes by the type and not by the bytes decodes the file too. */
export const mediaTypes: Readonly<Record<PhotoFormat, string>> = {
  jpeg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  webp: 'image/webp',
  bmp: 'image/bmp',
  tiff: 'image/tiff',
  avif: 'image/avif',
  heic: 'image/heic',
};

/** How many first bytes `detectFormat` wants at most. */
export const headBytes = 128;

const heicBrands = ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs', 'heif', 'mif1', 'msf1'];

/** The format of a file that begins with `head`, undefined for what is no picture. */
export function detectFormat(head: Uint8Array): PhotoFormat | undefined {
  if (startsWith(head, '\xff\xd8\xff')) return 'jpeg';
  if (startsWith(head, '\x89PNG\r\n\x1a\n')) return 'png';
  if (startsWith(head, 'GIF87a') || startsWith(head, 'GIF89a')) return 'gif';
  if (startsWith(head, 'RIFF') && ascii(head, 8, 12) === 'WEBP') return 'webp';
  if (startsWith(head, 'II*\0') || startsWith(head, 'MM\0*')) return 'tiff';
  if (ascii(head, 4, 8) === 'ftyp') return detectHeif(head);
  if (startsWith(head, 'BM') && [12, 40, 52, 56, 64, 108, 124].includes(head[14] ?? 0)) return 'bmp';
  return undefined;
}

/** AVIF and HEIC share a container (ISO 14496-12): the brands say which, and `mif1` alone leaves it open. */
function detectHeif(head: Uint8Array): PhotoFormat | undefined {
  const size = Math.min(
    new DataView(head.buffer, head.byteOffset, head.byteLength).getUint32(0),
    head.length,
  );
  const brands = [ascii(head, 8, 12)];
  for (let at = 16; at + 4 <= size; at += 4) brands.push(ascii(head, at, at + 4));
  if (brands.includes('avif') || brands.includes('avis')) return 'avif';
  return brands.some((brand) => heicBrands.includes(brand)) ? 'heic' : undefined;
}

/** Pixels as stored, before any EXIF rotation; undefined where the header does not say or this does not read it. */
export function readPixelSize(
  format: PhotoFormat,
  bytes: Uint8Array,
): { readonly width: number; readonly height: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (format === 'png' && bytes.length >= 24)
    return { width: view.getUint32(16), height: view.getUint32(20) };
  if (format === 'gif' && bytes.length >= 10)
    return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
  if (format === 'bmp' && bytes.length >= 26 && bytes[14] !== 12)
    return { width: view.getInt32(18, true), height: Math.abs(view.getInt32(22, true)) };
  if (format === 'jpeg') return readJpegSize(view);
  return undefined;
}

/** Walks the segments up to the frame header (ITU T.81, B.2.2). */
function readJpegSize(view: DataView): { width: number; height: number } | undefined {
  for (let at = 2; at + 9 <= view.byteLength;) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at += 1; // fill byte
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    if (marker === 0xda || marker === 0xd9) return undefined;
    at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return ascii(bytes, 0, text.length) === text;
}

function ascii(bytes: Uint8Array, from: number, to: number): string {
  return Array.from(bytes.subarray(from, to), (byte) => String.fromCharCode(byte)).join('');
}
