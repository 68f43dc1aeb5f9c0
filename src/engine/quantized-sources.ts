// Weights on their way to the device in 8 or 4 bits: for each that may be, a source of its whole numbers and one of its scales. Both read
// the same file, piece by piece, since a large matrix must not lie in memory as a whole.
import { halfToFloat } from '../base/float16';
import { blockSize, quantizedParameters, type WeightBits } from '../models/quantized';
import { byteSizeOf, sizeOf } from '../onnx/graph';
import type { ParameterSource } from '../runtime/runtime';
import { quantizationScales, quantize } from '../weights/quantize';

/** Weights that are made whole numbers at once: whole blocks. */
const pieceSize = 2 ** 20;

/** `sources` with those in 8 or 4 bits that may be; the scales, and what stays, are stored as before. */
export function quantizedSources(
  sources: readonly ParameterSource[],
  bits: WeightBits,
): readonly ParameterSource[] {
  return sources.flatMap((source): ParameterSource[] => {
    const parameters = quantizedParameters(source.name, source.shape, bits);
    if (!parameters) return [source];
    const { data, scales } = parameters;
    return [
      {
        ...data,
        type: 'uint8',
        storedAs: 'uint8',
        read: inPieces(source, bits / 8, (values) => quantize(values, bits, blockSize)),
      },
      {
        ...source,
        ...scales,
        type: 'float32',
        read: inPieces(
          source,
          4 / blockSize,
          (values) => new Uint8Array(quantizationScales(values, bits, blockSize).buffer),
        ),
      },
    ];
  });
}

/** Bytes made of a source's numbers, `bytesPerWeight` for each; ranges are of whole blocks. */
function inPieces(
  source: ParameterSource,
  bytesPerWeight: number,
  make: (values: Float32Array) => Uint8Array,
): ParameterSource['read'] {
  return async (begin = 0, end = sizeOf(source.shape) * bytesPerWeight) => {
    const bytes = new Uint8Array(end - begin);
    const [first, last] = [begin / bytesPerWeight, end / bytesPerWeight];
    for (let at = first; at < last; at += pieceSize) {
      const values = await floatsOf(source, at, Math.min(at + pieceSize, last));
      bytes.set(make(values), (at - first) * bytesPerWeight);
    }
    return bytes;
  };
}

/** The numbers `first` to `last`. */
async function floatsOf(source: ParameterSource, first: number, last: number): Promise<Float32Array> {
  const size = byteSizeOf({ type: source.type, shape: [] });
  const { buffer } = Uint8Array.from(await source.read(first * size, last * size)); // from a multiple of four bytes
  return source.type === 'float16' ? halfToFloat(new Uint16Array(buffer)) : new Float32Array(buffer);
}
