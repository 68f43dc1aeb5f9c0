// Numbers as whole numbers of 8 or 4 bits and a scale for each block, in the layout of ONNX Runtime's GatherBlockQuantized.
import { assert } from '../base/assert';
import { floatToHalf, halfToFloat } from '../base/float16';

/**
 * The scale of each block of `blockSize` numbers, which float16 holds exactly: the number that is farthest from zero gets the lowest
 * level, −2^(bits − 1), whatever its sign (as in ggml's Q4_0), so that no level is wasted.
 */
export function quantizationScales(
  values: Float32Array,
  bits: 4 | 8,
  blockSize: number,
): Float32Array<ArrayBuffer> {
  assert(values.length % blockSize === 0, `blocks of ${blockSize} in ${values.length}`);
  const scales = new Float32Array(values.length / blockSize);
  for (let block = 0, i = 0; block < scales.length; block++) {
    let farthest = 0;
    for (const end = i + blockSize; i < end; i++)
      if (Math.abs(values[i]!) > Math.abs(farthest)) farthest = values[i]!;
    scales[block] = farthest / -(2 ** (bits - 1));
  }
  return halfToFloat(floatToHalf(scales));
}

/** The nearest level of each number plus 2^(bits − 1), one in a byte or two: then the first is the low half. */
export function quantize(values: Float32Array, bits: 4 | 8, blockSize: number): Uint8Array<ArrayBuffer> {
  const scales = quantizationScales(values, bits, blockSize);
  const zero = 2 ** (bits - 1);
  const data = new Uint8Array((values.length * bits) / 8);
  for (let block = 0, i = 0; block < scales.length; block++) {
    const scale = scales[block]!;
    for (const end = i + blockSize; i < end; i++) {
      const steps = scale === 0 ? 0 : Math.round(values[i]! / scale);
      const level = Math.max(0, Math.min(2 * zero - 1, steps + zero));
      if (bits === 8) data[i] = level;
      else data[i >> 1]! |= i % 2 === 0 ? level : level << 4;
    }
  }
  return data;
}
