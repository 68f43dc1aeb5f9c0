// Weights on their way from a file to a runtime: read, checked, converted to the type in which they are kept.
import { assert } from '../base/assert';
import { floatToHalf, halfToFloat } from '../base/float16';
import { byteSizeOf, type Shape } from '../onnx/graph';
import type { ParameterSource, ParameterType } from './runtime';

/** The type in which a source is kept: what it asks for, or float32. */
export const storedType = (source: ParameterSource): ParameterType => source.storedAs ?? 'float32';

/** Bytes that a source takes once it is loaded. */
export const storedBytes = (source: ParameterSource): number =>
  byteSizeOf({ type: storedType(source), shape: source.shape });

/** Reads one source: its little-endian bytes in the stored type, starting at a multiple of four bytes. */
export async function readParameter(source: ParameterSource): Promise<Uint8Array<ArrayBuffer>> {
  const read = await source.read();
  assert(
    read.byteLength === byteSizeOf(source),
    `${source.name}: ${read.byteLength} bytes read, ${byteSizeOf(source)} expected`,
  );
  const bytes = aligned(read);
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
