// One function for each op, named like it. They add the node and answer its value; the few that can tell at once that nothing
// is to be done (a reshape to the same shape, a transposition of a transposition) answer the shorter form.
import type { GraphBuilder } from './builder';
import type { DataType, Shape, Value } from './graph';
import { normalizeAxis, sameShape } from './ops/schema';

type Builder = GraphBuilder;

export const neg = (b: Builder, x: Value): Value => b.node('Neg', [x], {});
export const exp = (b: Builder, x: Value): Value => b.node('Exp', [x], {});
export const sqrt = (b: Builder, x: Value): Value => b.node('Sqrt', [x], {});
export const sigmoid = (b: Builder, x: Value): Value => b.node('Sigmoid', [x], {});
export const tanh = (b: Builder, x: Value): Value => b.node('Tanh', [x], {});
export const relu = (b: Builder, x: Value): Value => b.node('Relu', [x], {});
export const erf = (b: Builder, x: Value): Value => b.node('Erf', [x], {});
export const add = (b: Builder, x: Value, y: Value): Value => b.node('Add', [x, y], {});
export const sub = (b: Builder, x: Value, y: Value): Value => b.node('Sub', [x, y], {});
export const mul = (b: Builder, x: Value, y: Value): Value => b.node('Mul', [x, y], {});
export const div = (b: Builder, x: Value, y: Value): Value => b.node('Div', [x, y], {});
export const minimum = (b: Builder, x: Value, y: Value): Value => b.node('Min', [x, y], {});

/** x · factor; x itself when the factor is 1. */
export const scale = (b: Builder, x: Value, factor: number): Value =>
  factor === 1 ? x : mul(b, x, b.scalar(factor, x.type));

export const gelu = (b: Builder, x: Value, approximate: 'none' | 'tanh' = 'none'): Value =>
  b.node('Gelu', [x], { approximate });

export const cast = (b: Builder, x: Value, to: DataType): Value =>
  x.type === to ? x : b.node('Cast', [x], { to });

export const matMul = (b: Builder, x: Value, y: Value): Value => b.node('MatMul', [x, y], {});

/** alpha · op(x) · op(y) + c on matrices. */
export function gemm(
  b: Builder,
  x: Value,
  y: Value,
  options: { c?: Value | undefined; transA?: boolean; transB?: boolean; alpha?: number } = {},
): Value {
  const { c, transA = false, transB = false, alpha = 1 } = options;
  return b.node('Gemm', c ? [x, y, c] : [x, y], {
    alpha,
    beta: 1,
    transA: transA ? 1 : 0,
    transB: transB ? 1 : 0,
  });
}

/** Two-dimensional convolution, `padding` on each side: x [n, c, h, w], weight [o, c, kh, kw], bias [o]. */
export const conv = (
  b: Builder,
  x: Value,
  weight: Value,
  bias: Value | undefined,
  { stride = 1, padding = 0 }: { stride?: number; padding?: number } = {},
): Value =>
  b.node('Conv', bias ? [x, weight, bias] : [x, weight], {
    strides: [stride, stride],
    pads: [padding, padding, padding, padding],
    dilations: [1, 1],
  });

export function reshape(b: Builder, x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x;
  const before = b.producer(x);
  const source = before?.op === 'Reshape' ? before.inputs[0]! : x;
  return sameShape(source.shape, shape) ? source : b.node('Reshape', [source], { shape });
}

export function transpose(b: Builder, x: Value, perm: readonly number[]): Value {
  const before = b.producer(x);
  const source = before?.op === 'Transpose' ? before.inputs[0]! : x;
  const whole = before?.op === 'Transpose' ? perm.map((axis) => before.attributes.perm[axis]!) : perm;
  return whole.every((axis, i) => axis === i) ? source : b.node('Transpose', [source], { perm: whole });
}

export const concat = (b: Builder, values: readonly Value[], axis: number): Value =>
  values.length === 1 ? values[0]! : b.node('Concat', values, { axis });

/** The elements [start, end) along `axis`. */
export const slice = (b: Builder, x: Value, axis: number, start: number, end: number): Value => {
  const at = normalizeAxis(axis, x.shape.length);
  return start === 0 && end === x.shape[at]
    ? x
    : b.node('Slice', [x], { starts: [start], ends: [end], axes: [at], steps: [1] });
};

/** Reverses the order along `axes`. */
export const reverse = (b: Builder, x: Value, axes: readonly number[]): Value =>
  b.node('Slice', [x], {
    starts: axes.map((axis) => x.shape[axis]! - 1),
    ends: axes.map(() => -(2 ** 31)),
    axes,
    steps: axes.map(() => -1),
  });

/** Zeros around (or, negative, less of) x: begins of all axes, then ends. */
export const pad = (b: Builder, x: Value, pads: readonly number[]): Value =>
  pads.every((count) => count === 0) ? x : b.node('Pad', [x], { pads });

export const expand = (b: Builder, x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : b.node('Expand', [x], { shape });

/** Rows of `data` at `indices`, along axis 0. */
export const gather = (b: Builder, data: Value, indices: Value): Value =>
  b.node('Gather', [data, indices], { axis: 0 });

/** Numbers of 4 or 8 bits as floats of the scales' type: data uint8 [1, rows, columns · bits / 8], scales [1, rows, blocks]. */
export const dequantize = (b: Builder, data: Value, scales: Value, bits: 4 | 8): Value =>
  b.node('GatherBlockQuantized', [data, b.constant(Int32Array.of(0), [1]), scales], {
    bits,
    block_size: (data.shape.at(-1)! * 8) / bits / scales.shape.at(-1)!,
    gather_axis: 0,
    quantize_axis: data.shape.length - 1,
  });

/** Nearest-neighbour enlargement of [n, c, h, w] by a whole factor. */
export const upsampleNearest = (b: Builder, x: Value, factor: number): Value =>
  b.node('Resize', [x], {
    scales: [1, 1, factor, factor],
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  });

export const reduceSum = (b: Builder, x: Value, axes: readonly number[], keepdims = true): Value =>
  b.node('ReduceSum', [x], { axes, keepdims: keepdims ? 1 : 0 });

export const reduceMean = (b: Builder, x: Value, axes: readonly number[], keepdims = true): Value =>
  b.node('ReduceMean', [x], { axes, keepdims: keepdims ? 1 : 0 });

/** Σ x² over all elements, as [1]. */
export const sumSquares = (b: Builder, x: Value): Value =>
  reshape(b, b.node('ReduceSumSquare', [x], { axes: x.shape.map((_, i) => i), keepdims: 1 }), [1]);

export const softmax = (b: Builder, x: Value): Value => b.node('Softmax', [x], { axis: -1 });
