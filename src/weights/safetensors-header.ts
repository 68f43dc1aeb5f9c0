// The header of a safetensors file, read strictly: what the format forbids is refused before a byte of data is used.
// Format: https://huggingface.co/docs/safetensors (u64 length, JSON, data). Unlike writers, a reader may not expect alignment.
import { AppError } from '../base/errors';

/** Bytes of one element. The order is that of the reference library's `Dtype`, which its writer sorts by, largest first. */
export const dtypeSizes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  F8_E8M0: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  C64: 8,
  F64: 8,
  I64: 8,
  U64: 8,
} as const;

export type Dtype = keyof typeof dtypeSizes;

type TensorEntry = {
  readonly dtype: Dtype;
  readonly shape: readonly number[]; // [] = a scalar
  readonly begin: number; // bytes from the start of the file
  readonly end: number;
};

export type SafetensorsHeader = {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, TensorEntry>; // in the order of the data
};

const maxHeaderBytes = 100_000_000; // as the reference library

/** Reads the header of `source` without touching its data. Throws AppError('bad-file', { file, reason }). */
export async function readSafetensorsHeader(
  source: Blob | Uint8Array<ArrayBuffer>,
  fileName: string,
): Promise<SafetensorsHeader> {
  const blob = source instanceof Blob ? source : new Blob([source]);
  const refuse = (reason: string, cause?: unknown): never => {
    throw new AppError('bad-file', { file: fileName, reason }, cause);
  };
  if (blob.size === 0) refuse('the file is empty');
  const start = new Uint8Array(await blob.slice(0, 40).arrayBuffer());
  const foreign = describeForeignStart(start);
  if (foreign !== undefined) refuse(foreign);
  if (start.length < 8) refuse('the file is cut short: it ends before its table of contents');
  const headerBytes = Number(new DataView(start.buffer).getBigUint64(0, true));
  if (headerBytes > maxHeaderBytes || headerBytes < 2) refuse('it is not a safetensors file');
  const dataStart = 8 + headerBytes;
  if (dataStart > blob.size) refuse('the file is cut short: it ends within its table of contents');
  const text = await blob.slice(8, dataStart).arrayBuffer();
  try {
    return parseHeader(decodeJson(text), dataStart, blob.size);
  } catch (error) {
    if (error instanceof HeaderError) return refuse(error.message, error);
    throw error;
  }
}

class HeaderError extends Error {}

function describeForeignStart(start: Uint8Array): string | undefined {
  const text = String.fromCharCode(...start);
  if (text.startsWith('PK')) return 'it is a zip archive or a PyTorch file, not safetensors';
  if (text.startsWith('version https://git-lfs')) return 'it is a Git LFS pointer, not the file itself';
  if (/^\s*<(!doctype|html|\?xml)/i.test(text)) return 'it is a web page, not a weights file';
  if (/^(\x89PNG|\xff\xd8\xff|GIF8|RIFF)/.test(text)) return 'it is a picture, not a weights file';
  if (/^\x80[\x02-\x05]/.test(text) && start[7] !== 0) return 'it is a Python pickle, not safetensors';
  return undefined;
}

function decodeJson(bytes: ArrayBuffer): unknown {
  if (new Uint8Array(bytes)[0] !== 0x7b) throw new HeaderError('it is not a safetensors file');
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    value = JSON.parse(text);
  } catch {
    throw new HeaderError('its table of contents is damaged'); // the parser's own words would quote the file
  }
  const twice = findDuplicateKey(text);
  if (twice !== undefined) throw new HeaderError(`its table of contents names "${twice}" twice`);
  return value;
}

/** The first key that an object of `json` (valid JSON) has twice; JSON.parse would silently keep the last. */
function findDuplicateKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (let i = 0; i < json.length; i++) {
    const char = json[i];
    if (char === '{') open.push(new Set());
    else if (char === '}') open.pop();
    else if (char === '"') {
      const start = i++;
      while (json[i] !== '"') i += json[i] === '\\' ? 2 : 1;
      let after = i + 1;
      while (' \t\n\r'.includes(json[after] ?? 'x')) after++;
      if (json[after] !== ':') continue; // a value
      const key = JSON.parse(json.slice(start, i + 1)) as string;
      const keys = open.at(-1)!;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function parseHeader(json: unknown, dataStart: number, fileBytes: number): SafetensorsHeader {
  if (!isRecord(json)) throw new HeaderError('its table of contents is damaged');
  const entries = Object.entries(json).filter(([name]) => name !== '__metadata__');
  const tensors = entries.map(([name, value]) => [name, parseEntry(name, value, dataStart)] as const);
  tensors.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  checkCoverage(tensors, dataStart, fileBytes);
  const metadata = Object.hasOwn(json, '__metadata__') ? parseMetadata(json['__metadata__']) : {};
  return { metadata, tensors: new Map(tensors) };
}

function parseMetadata(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) throw new HeaderError('its metadata is not a table');
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw new HeaderError(`its metadata "${key}" is not text`);
  }
  return value as Record<string, string>;
}

function parseEntry(name: string, value: unknown, dataStart: number): TensorEntry {
  if (!isRecord(value)) throw new HeaderError(`the entry of "${name}" is damaged`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(dtypeSizes, dtype)) {
    throw new HeaderError(`"${name}" has the unknown number type ${JSON.stringify(dtype)}`);
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    throw new HeaderError(`the shape of "${name}" is damaged`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw new HeaderError(`the offsets of "${name}" are damaged`);
  }
  const [begin, end] = offsets as [number, number];
  const bytes = shape.reduce((product, n) => product * n, dtypeSizes[dtype as Dtype]);
  if (bytes !== end - begin) {
    throw new HeaderError(`"${name}" should take ${bytes} bytes and its offsets say ${end - begin}`);
  }
  return { dtype: dtype as Dtype, shape, begin: dataStart + begin, end: dataStart + end };
}

// The data is exactly the tensors, one after the other.
function checkCoverage(
  tensors: readonly (readonly [string, TensorEntry])[],
  dataStart: number,
  fileBytes: number,
): void {
  let at = dataStart;
  for (const [name, { begin, end }] of tensors) {
    if (begin !== at) {
      if (end > fileBytes) throw new HeaderError(`an offset of "${name}" points outside the file`);
      const what =
        begin < at ? 'shares bytes with another tensor' : 'comes after a gap that belongs to nothing';
      throw new HeaderError(`"${name}" ${what}`);
    }
    at = end;
  }
  if (at > fileBytes) throw new HeaderError(`the file is cut short: ${fileBytes} of ${at} bytes are there`);
  if (at < fileBytes) throw new HeaderError(`it goes on for ${fileBytes - at} bytes after its last tensor`);
}
