// Weights on their way from a file to a runtime: read, checked, converted to the type in which they are kept.
import { assert } from '../base/assert';
import { floatToHalf, halfToFloat } from '../base/float16';
import { freeBytes } from '../base/free-bytes';
import { byteSizeOf, sizeOf, type Shape } from '../onnx/graph';
import type { ParameterSource, ParameterType } from './runtime';

/** The type in which a source is kept: what it asks for, or float32. */
export const storedType = (source: ParameterSource): ParameterType => source.storedAs ?? 'float32';

/** Bytes that a source takes once it is loaded. */
export const storedBytes = (source: ParameterSource): number =>
  byteSizeOf({ type: storedType(source), shape: source.shape });

/** Elements that are read at once: a matrix of 150 MB must not lie in memory as a whole, let alone twice. */
const pieceSize = 2 ** 20;

/** A part of a tensor's little-endian bytes in the stored type, on a multiple of four bytes both there and in memory. */
type Piece = { readonly offset: number; readonly bytes: Uint8Array<ArrayBuffer> };

/** Reads one source, piece by piece from its start to its end. A piece is gone when the next one is asked for. */
export async function* readParameter(source: ParameterSource): AsyncGenerator<Piece, void> {
  const size = sizeOf(source.shape);
  const [from, to] = [source.type, storedType(source)].map((type) => byteSizeOf({ type, shape: [] }));
  for (let first = 0; first < size; first += pieceSize) {
    const last = Math.min(first + pieceSize, size);
    const read = await source.read(first * from!, last * from!);
    const expected = (last - first) * from!;
    assert(
      read.byteLength === expected,
      `${source.name}: ${read.byteLength} bytes read, ${expected} expected`,
    );
    const bytes = convert(source, aligned(read));
    yield { offset: first * to!, bytes };
    freeBytes(read);
    freeBytes(bytes);
  }
}

function convert(source: ParameterSource, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (source.type === storedType(source)) return bytes;
  const { buffer, byteOffset, byteLength } = bytes;
  const converted =
    source.type === 'float16'
      ? halfToFloat(new Uint16Array(buffer, byteOffset, byteLength / 2))
      : floatToHalf(new Float32Array(buffer, byteOffset, byteLength / 4));
  return new Uint8Array(converted.buffer);
}

function aligned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset } = bytes;
  if (buffer instanceof ArrayBuffer && byteOffset % 4 === 0) return bytes as Uint8Array<ArrayBuffer>;
  return new Uint8Array(bytes);
}

/** Fails unless a graph's parameter is the tensor that was loaded under its name. */
export function checkParameter(
  wanted: { readonly name: string; readonly type: string; readonly shape: Shape },
  loaded: { readonly type: string; readonly shape: Shape } | undefined,
): void {
  const text = (value: { readonly type: string; readonly shape: Shape } | undefined) =>
    value ? `${value.type} [${value.shape.join()}]` : 'nothing';
  assert(
    text(wanted) === text(loaded),
    `parameter ${wanted.name} is ${text(loaded)}, the graph wants ${text(wanted)}`,
  );
}
