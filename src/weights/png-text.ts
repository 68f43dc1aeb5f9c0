// Text chunks of PNG files (PNG specification 11.3.4), written as Pillow's PngInfo.add_text writes them: tEXt where Latin-1
// can hold the text, else iTXt. Compressed text (zTXt, compressed iTXt) is not read.
import { assert } from '../base/assert';
import { crc32 } from '../base/crc32';

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

type Chunk = {
  readonly type: string;
  readonly data: Uint8Array;
  readonly start: number; // of the chunk's length field
  readonly end: number;
};

/**
 * A copy of `png` with `text` under `keyword` (Latin-1, 1 to 79 characters) before the first IDAT. A text chunk that has
 * the keyword already is replaced.
 */
export function insertPngText(png: Uint8Array, keyword: string, text: string): Uint8Array<ArrayBuffer> {
  assert(isLatin1(keyword) && keyword.length > 0 && keyword.length < 80, `bad PNG keyword "${keyword}"`);
  const chunks = readChunks(png);
  const pixels = chunks?.find((chunk) => chunk.type === 'IDAT');
  assert(chunks !== undefined && pixels !== undefined, 'not a whole PNG file');
  const kept = (chunk: Chunk) => readText(chunk)?.keyword !== keyword;
  const cut = (from: readonly Chunk[]) =>
    from.filter(kept).map((chunk) => png.subarray(chunk.start, chunk.end));
  const at = chunks.indexOf(pixels);
  return concat([
    Uint8Array.from(signature),
    ...cut(chunks.slice(0, at)),
    textChunk(keyword, text),
    ...cut(chunks.slice(at)),
  ]);
}

/** The text under `keyword`, or undefined where there is none, or `bytes` is not a whole PNG file. */
export function readPngText(bytes: Uint8Array, keyword: string): string | undefined {
  for (const chunk of readChunks(bytes) ?? []) {
    const found = readText(chunk);
    if (found?.keyword === keyword) return found.text;
  }
  return undefined;
}

/** All chunks up to IEND; undefined where the signature, a length or a checksum is wrong. */
function readChunks(bytes: Uint8Array): readonly Chunk[] | undefined {
  if (!signature.every((byte, i) => bytes[i] === byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  for (let start = signature.length; start + 12 <= bytes.length;) {
    const length = view.getUint32(start);
    const end = start + 12 + length;
    if (end > bytes.length) return undefined;
    if (crc32(bytes.subarray(start + 4, end - 4)) !== view.getUint32(end - 4)) return undefined;
    const type = fromLatin1(bytes.subarray(start + 4, start + 8));
    chunks.push({ type, data: bytes.subarray(start + 8, end - 4), start, end });
    if (type === 'IEND') return chunks;
    start = end;
  }
  return undefined;
}

function readText({ type, data }: Chunk): { keyword: string; text: string } | undefined {
  if (type !== 'tEXt' && type !== 'iTXt') return undefined;
  const keywordEnd = data.indexOf(0);
  if (keywordEnd < 0) return undefined;
  const keyword = fromLatin1(data.subarray(0, keywordEnd));
  if (type === 'tEXt') return { keyword, text: fromLatin1(data.subarray(keywordEnd + 1)) };
  if (data[keywordEnd + 1] !== 0) return undefined; // compressed
  const languageEnd = data.indexOf(0, keywordEnd + 3);
  const translationEnd = languageEnd < 0 ? -1 : data.indexOf(0, languageEnd + 1);
  if (translationEnd < 0) return undefined;
  return { keyword, text: new TextDecoder().decode(data.subarray(translationEnd + 1)) };
}

function textChunk(keyword: string, text: string): Uint8Array {
  return isLatin1(text)
    ? makeChunk('tEXt', [toLatin1(`${keyword}\0${text}`)])
    : makeChunk('iTXt', [toLatin1(`${keyword}\0\0\0\0\0`), new TextEncoder().encode(text)]);
}

function makeChunk(type: string, parts: readonly Uint8Array[]): Uint8Array {
  const body = concat([toLatin1(type), ...parts]);
  const chunk = new Uint8Array(body.length + 8);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, body.length - 4);
  chunk.set(body, 4);
  view.setUint32(chunk.length - 4, crc32(body));
  return chunk;
}

function isLatin1(text: string): boolean {
  return [...text].every((character) => character.codePointAt(0)! < 256);
}

function toLatin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function fromLatin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
