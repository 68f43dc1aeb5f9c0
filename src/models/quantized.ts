// Which frozen weights may be kept in 8 or 4 bits, and what stands for them then: small whole numbers and a scale for each block of a
// row (Dettmers & Zettlemoyer 2023 compare block sizes; theirs is 64, a smaller one is nearer to the weights).
import { sizeOf, type Shape } from '../onnx/graph';

export type WeightBits = 4 | 8;

/** Numbers of a row that share a scale. */
export const blockSize = 32;

/** What comes first and last, and what all blocks share, is small and costs most when it is off. */
const keptWhole = /\.(conv_in|conv_out|time_embedding\.\w+)\.weight$/;

type QuantizedParameters = {
  readonly data: { readonly name: string; readonly shape: Shape }; // uint8 [1, out, inner · bits / 8]
  readonly scales: { readonly name: string; readonly shape: Shape }; // [1, out, inner / blockSize]
};

/** The parameters that stand for the weight `name`, linear [out, in] or convolution [out, in, kh, kw]; undefined for one that stays as it is. */
export function quantizedParameters(
  name: string,
  shape: Shape,
  bits: WeightBits,
): QuantizedParameters | undefined {
  const out = shape[0]!;
  const inner = sizeOf(shape) / out;
  if (shape.length < 2 || inner % blockSize !== 0 || keptWhole.test(name)) return undefined;
  return {
    data: { name: `${name}.quantized`, shape: [1, out, (inner * bits) / 8] },
    scales: { name: `${name}.scales`, shape: [1, out, inner / blockSize] },
  };
}
