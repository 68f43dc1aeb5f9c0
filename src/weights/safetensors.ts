// safetensors files: tensors by name, read from a Blob one at a time (never the whole file), and written as the reference library writes.
import { assert } from '../base/assert';
import { dtypeSizes, readSafetensorsHeader, type Dtype } from './safetensors-header';
import { tensorInBlob, type StoredTensor } from './stored-tensor';

export type Safetensors = {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
};

/** Opens `blob`; only the header is read now. Throws AppError('bad-file', { file, reason }) for a damaged one. */
export async function openSafetensors(blob: Blob, fileName: string): Promise<Safetensors> {
  const header = await readSafetensorsHeader(blob, fileName);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of header.tensors)
    tensors.set(
      name,
      tensorInBlob(() => Promise.resolve(blob), entry),
    );
  return { metadata: header.metadata, tensors };
}

export type TensorToWrite = {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView; // of exactly the tensor's bytes, little-endian
};

const dtypeOrder = Object.keys(dtypeSizes);

/** A safetensors file, byte-equal to the reference library's: tensors by number type (widest first), then by name; header padded with spaces to 8 bytes. */
export function writeSafetensors(
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const sorted = [...tensors].sort((a, b) => {
    const byType = dtypeOrder.indexOf(b.dtype) - dtypeOrder.indexOf(a.dtype);
    return byType || (a.name < b.name ? -1 : 1);
  });
  const entries: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) entries.push(['__metadata__', metadata]);
  let dataBytes = 0;
  for (const { name, dtype, shape, data } of sorted) {
    const expected = shape.reduce((product, n) => product * n, dtypeSizes[dtype]);
    assert(data.byteLength === expected, `${name}: ${data.byteLength} bytes, expected ${expected}`);
    assert(name !== '__metadata__', 'a tensor must not be named __metadata__');
    entries.push([name, { dtype, shape, data_offsets: [dataBytes, dataBytes + expected] }]);
    dataBytes += expected;
  }
  const names = new Set(entries.map(([name]) => name));
  assert(names.size === entries.length, 'two tensors have the same name');

  // Not one object: its keys would be reordered where they look like numbers.
  const json = entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',');
  const header = new TextEncoder().encode(`{${json}}`);
  const dataStart = Math.ceil((8 + header.length) / 8) * 8;
  const file = new Uint8Array(dataStart + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(dataStart - 8), true);
  file.fill(0x20, 8, dataStart);
  file.set(header, 8);
  let at = dataStart;
  for (const { data } of sorted) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}
