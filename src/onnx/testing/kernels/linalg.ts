// Reference kernels of matrix products and convolutions, written as their definitions. For tests only.
import { sizeOf, type Shape } from '../../graph';
import type { LinalgAttributes } from '../../ops/linalg';
import { offsets, repeatingStrides, stridesOf, type Tensor } from '../tensor';
import type { Kernels } from './kernel';

type Matrix = { readonly data: Float64Array; readonly start: number; readonly strides: readonly number[] };

/** Adds to out [m, n], from `at` on, alpha · a [m, k] · b [k, n]. */
function addProduct(
  out: Float64Array,
  at: number,
  [m, k, n]: readonly [number, number, number],
  a: Matrix,
  b: Matrix,
  alpha = 1,
): void {
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++)
        sum +=
          a.data[a.start + i * a.strides[0]! + l * a.strides[1]!]! *
          b.data[b.start + l * b.strides[0]! + j * b.strides[1]!]!;
      out[at + i * n + j]! += alpha * sum;
    }
}

const matrix = (x: Tensor, transposed: boolean): Matrix => {
  const strides = stridesOf(x.shape);
  return { data: x.data, start: 0, strides: transposed ? strides.toReversed() : strides };
};

type Window = {
  readonly strides: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
  readonly dilations: readonly [number, number];
};

/**
 * Visits every pair of a pixel of the image [h, w] and one of the map [oh, ow] that a kernel [kh, kw] slid over the image joins:
 * image row = map row · stride − pad + kernel row · dilation. Answers flat positions in one image, map and kernel plane.
 */
function forEachTap(
  [h, w]: Shape,
  [oh, ow]: Shape,
  [kh, kw]: Shape,
  { strides, pads, dilations }: Window,
  visit: (inImage: number, inMap: number, inKernel: number) => void,
): void {
  for (let oy = 0; oy < oh!; oy++)
    for (let ky = 0; ky < kh!; ky++) {
      const y = oy * strides[0] - pads[0] + ky * dilations[0];
      if (y < 0 || y >= h!) continue;
      for (let ox = 0; ox < ow!; ox++)
        for (let kx = 0; kx < kw!; kx++) {
          const x = ox * strides[1] - pads[1] + kx * dilations[1];
          if (x >= 0 && x < w!) visit(y * w! + x, oy * ow! + ox, ky * kw! + kx);
        }
    }
}

/** [n, o, h, w] with every pixel of channel o holding bias[o]. */
function filledWithBias([n, o, h, w]: Shape, bias: Tensor | undefined): Float64Array {
  return Float64Array.from({ length: n! * o! * h! * w! }, (_, i) =>
    bias ? bias.data[Math.floor(i / (h! * w!)) % o!]! : 0,
  );
}

export const linalgKernels: Kernels<LinalgAttributes> = {
  MatMul: ([a, b], _attributes, [shape]) => {
    const out = new Float64Array(sizeOf(shape!));
    const batch = shape!.slice(0, -2);
    const [m, n] = shape!.slice(-2) as [number, number];
    const k = a!.shape.at(-1)!;
    const starts = ({ shape: { length }, shape: own }: Tensor) => {
      const whole = repeatingStrides(own.with(length - 1, 1).with(length - 2, 1), batch.length + 2);
      const matrixSize = own.at(-1)! * own.at(-2)!;
      return offsets(
        batch,
        whole.slice(0, -2).map((stride) => stride * matrixSize),
      );
    };
    const aStarts = starts(a!);
    const bStarts = starts(b!);
    for (let i = 0; i < sizeOf(batch); i++)
      addProduct(
        out,
        i * m * n,
        [m, k, n],
        { data: a!.data, start: aStarts[i]!, strides: [k, 1] },
        { data: b!.data, start: bStarts[i]!, strides: [n, 1] },
      );
    return [out];
  },
  Gemm: ([a, b, c], { alpha, beta, transA, transB }, [shape]) => {
    const [m, n] = shape as readonly [number, number];
    const k = a!.shape[transA ? 0 : 1]!;
    const out = new Float64Array(m * n);
    if (c) offsets(shape!, repeatingStrides(c.shape, 2)).forEach((at, i) => (out[i] = beta * c.data[at]!));
    addProduct(out, 0, [m, k, n], matrix(a!, transA === 1), matrix(b!, transB === 1), alpha);
    return [out];
  },
  Conv: ([x, weight, bias], attributes, [shape]) => {
    const [n, o, oh, ow] = shape as readonly [number, number, number, number];
    const [, c, h, w] = x!.shape as readonly [number, number, number, number];
    const [, , kh, kw] = weight!.shape as readonly [number, number, number, number];
    const out = filledWithBias(shape!, bias);
    for (let sample = 0; sample < n; sample++)
      for (let to = 0; to < o; to++)
        for (let from = 0; from < c; from++) {
          const image = (sample * c + from) * h * w;
          const map = (sample * o + to) * oh * ow;
          const kernel = (to * c + from) * kh * kw;
          forEachTap([h, w], [oh, ow], [kh, kw], attributes, (inImage, inMap, inKernel) => {
            out[map + inMap]! += x!.data[image + inImage]! * weight!.data[kernel + inKernel]!;
          });
        }
    return [out];
  },
  // The transpose of Conv: what Conv reads as its image is written here, and the other way round.
  ConvTranspose: ([x, weight, bias], { strides, pads }, [shape]) => {
    const [n, o, h, w] = shape as readonly [number, number, number, number];
    const [, c, mh, mw] = x!.shape as readonly [number, number, number, number];
    const [, , kh, kw] = weight!.shape as readonly [number, number, number, number];
    const out = filledWithBias(shape!, bias);
    for (let sample = 0; sample < n; sample++)
      for (let to = 0; to < o; to++)
        for (let from = 0; from < c; from++) {
          const image = (sample * o + to) * h * w;
          const map = (sample * c + from) * mh * mw;
          const kernel = (from * o + to) * kh * kw;
          const window = { strides, pads, dilations: [1, 1] } as const;
          forEachTap([h, w], [mh, mw], [kh, kw], window, (inImage, inMap, inKernel) => {
            out[image + inImage]! += x!.data[map + inMap]! * weight!.data[kernel + inKernel]!;
          });
        }
    return [out];
  },
};
