// Products that sum over many numbers, exact enough in float16. ONNX Runtime's WebGPU kernels then add up in float16 too, one product
// after the other, so a sum's error grows with the square root of its length: on 2⁻¹¹ precision a 3 × 3 convolution of 640 channels is off
// by 2.5 % of its largest value. Sums of pieces, added at the end, are as good as the pieces. float32 needs none of it.
import type { GraphBuilder } from './builder';
import type { Shape, Value } from './graph';
import { add, conv, gemm, slice } from './operators';

/** Products in one sum of float16: a 3 × 3 convolution of 160 channels, which all widths of Stable Diffusion are multiples of. */
const longestSum = 1440;

/** [0, size) in ranges whose sums of `each` products per element are short enough for `type`; all but the last a multiple of 4. */
function pieces(type: Value['type'], size: number, each: number): readonly (readonly [number, number])[] {
  if (type !== 'float16' || size * each <= longestSum) return [[0, size]];
  const step = Math.max(4, 4 * Math.floor(longestSum / each / 4));
  return Array.from({ length: Math.ceil(size / step) }, (_, i) => [i * step, Math.min(size, (i + 1) * step)]);
}

/** x [n, in] · weightᵀ [out, in] + c. */
export function linearProduct(b: GraphBuilder, x: Value, weight: Value, c: Value | undefined): Value {
  const cut = (value: Value, [start, end]: readonly [number, number]) => slice(b, value, 1, start, end);
  const ranges = pieces(x.type, x.shape[1]!, 1);
  const sum = ranges.reduce<Value | undefined>(
    (sum, range) => gemm(b, cut(x, range), cut(weight, range), { transB: true, c: sum }),
    c,
  );
  return sum!;
}

/** The convolution of operators.ts. */
export function convProduct(
  b: GraphBuilder,
  x: Value,
  weight: Value,
  bias: Value | undefined,
  options: { stride?: number; padding?: number } = {},
): Value {
  const [, channels, height, width] = weight.shape as Shape & readonly [number, number, number, number];
  const [first, ...others] = pieces(x.type, channels, height * width).map(([start, end], i) =>
    conv(b, slice(b, x, 1, start, end), slice(b, weight, 1, start, end), i === 0 ? bias : undefined, options),
  );
  return others.reduce((sum, piece) => add(b, sum, piece), first!);
}
