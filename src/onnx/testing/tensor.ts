// Float64 tensors of the reference interpreter. For tests only.
import { assert } from '../../base/assert';
import { sizeOf, type Shape } from '../graph';

/** Values of any data type as float64, in row-major order. */
export type Tensor = { readonly shape: Shape; readonly data: Float64Array };

/** A tensor of these values; throws when their count does not fit the shape. */
export function tensor(shape: Shape, values: ArrayLike<number> | BigInt64Array): Tensor {
  const data = values instanceof Float64Array ? values : Float64Array.from<number | bigint>(values, Number);
  assert(data.length === sizeOf(shape), `${data.length} values for [${shape.join()}]`);
  return { shape, data };
}

/** Row-major strides of `shape`. */
export function stridesOf(shape: Shape): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** Strides by which `shape` is read as if repeated to `rank` axes of a larger shape: 0 along every axis of 1. */
export function repeatingStrides(shape: Shape, rank: number): number[] {
  const strides = stridesOf(shape).map((stride, axis) => (shape[axis] === 1 ? 0 : stride));
  return [...Array.from({ length: rank - shape.length }, () => 0), ...strides];
}

/** For each element of `shape`, in order, start + Σ index · stride. */
export function offsets(shape: Shape, strides: readonly number[], start = 0): Int32Array {
  const result = new Int32Array(sizeOf(shape));
  const index = shape.map(() => 0);
  let offset = start;
  for (let i = 0; i < result.length; i++) {
    result[i] = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      offset += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      offset -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

/** The elements of x that a view of `shape` with these strides reads. */
export function readView(x: Tensor, shape: Shape, strides: readonly number[], start = 0): Float64Array {
  return Float64Array.from(offsets(shape, strides, start), (offset) => x.data[offset]!);
}
