// Ops that move elements without changing them.
import { sizeOf, type Shape, type Value } from '../value';
import { commonType, inputAt, normalizeAxis, sameShape, broadcastShapes, type OpSchema } from './schema';

export type MovementAttributes = {
  Reshape: { readonly shape: Shape }; // every dimension written out: no 0, no -1
  Transpose: { readonly perm: readonly number[] };
  Concat: { readonly axis: number };
  Slice: {
    readonly starts: readonly number[]; // counted from the front
    readonly ends: readonly number[];
    readonly axes: readonly number[];
    readonly steps: readonly number[]; // positive, or -1 for the whole axis reversed (ends below -size)
  };
  Pad: { readonly pads: readonly number[] }; // zeros; begins of all axes, then ends; negative crops
  Expand: { readonly shape: Shape };
  Gather: { readonly axis: number };
  /**
   * Rows of a table in 4 or 8 bits: data uint8 [rows, ..., columns · bits / 8] (of two in a byte, the low half first), indices, scales
   * [rows, ..., columns / block_size], which give the type. A value is (data − 2^(bits − 1)) · scale of its block.
   */
  GatherBlockQuantized: {
    readonly bits: 4 | 8;
    readonly block_size: number;
    readonly gather_axis: 0;
    readonly quantize_axis: number; // the last
  };
  Resize: {
    readonly scales: readonly number[]; // whole numbers: nearest neighbour
    readonly mode: 'nearest';
    readonly coordinate_transformation_mode: 'asymmetric';
    readonly nearest_mode: 'floor';
  };
};

/** Elements that a slice takes from an axis of `dim` elements. */
const sliceLength = (start: number, end: number, step: number, dim: number): number =>
  step > 0
    ? Math.ceil((Math.min(end, dim) - start) / step)
    : Math.ceil((start - Math.max(end < 0 ? end + dim : end, -1)) / -step);

export const movementOps: {
  readonly [Name in keyof MovementAttributes]: OpSchema<MovementAttributes[Name]>;
} = {
  Reshape: {
    arity: [1, 1],
    infer: (inputs, { shape }) => {
      const x = inputAt(inputs, 0);
      if (sizeOf(x.shape) !== sizeOf(shape)) throw new Error(`[${x.shape.join()}] to [${shape.join()}]`);
      return [{ type: x.type, shape }];
    },
    encoding: { shape: { input: 1, as: 'int64' } },
  },
  Transpose: {
    arity: [1, 1],
    infer: (inputs, { perm }) => {
      const x = inputAt(inputs, 0);
      if ([...perm].sort((a, b) => a - b).join() !== x.shape.map((_, i) => i).join())
        throw new Error(`perm [${perm.join()}] of rank ${x.shape.length}`);
      return [{ type: x.type, shape: perm.map((axis) => x.shape[axis]!) }];
    },
    encoding: { perm: 'ints' },
  },
  Concat: {
    arity: [1, Infinity],
    infer: (inputs, { axis }) => {
      const first = inputAt(inputs, 0);
      const at = normalizeAxis(axis, first.shape.length);
      let length = 0;
      for (let i = 0; i < inputs.length; i++) {
        const { shape } = inputAt(inputs, i);
        if (!sameShape(shape.with(at, 0), first.shape.with(at, 0)))
          throw new Error(`[${shape.join()}] beside [${first.shape.join()}]`);
        length += shape[at]!;
      }
      return [{ type: commonType(inputs), shape: first.shape.with(at, length) }];
    },
    encoding: { axis: 'int' },
  },
  Slice: {
    arity: [1, 1],
    infer: (inputs, { starts, ends, axes, steps }) => {
      const x = inputAt(inputs, 0);
      const shape = [...x.shape];
      axes.forEach((axis, i) => {
        if (starts[i]! < 0 || starts[i]! >= x.shape[axis]!)
          throw new Error(`start ${starts[i]} along ${axis}`);
        const length = sliceLength(starts[i]!, ends[i]!, steps[i]!, x.shape[axis]!);
        // ONNX Runtime 1.30's WebGPU kernel reverses part of an axis wrongly
        if (steps[i]! < 0 && length !== x.shape[axis]) throw new Error(`part of axis ${axis} reversed`);
        if (!(length > 0)) throw new Error(`empty slice of [${x.shape.join()}] along ${axis}`);
        shape[axis] = length;
      });
      return [{ type: x.type, shape }];
    },
    encoding: {
      starts: { input: 1, as: 'int64' },
      ends: { input: 2, as: 'int64' },
      axes: { input: 3, as: 'int64' },
      steps: { input: 4, as: 'int64' },
    },
  },
  Pad: {
    arity: [1, 1],
    infer: (inputs, { pads }) => {
      const x = inputAt(inputs, 0);
      const rank = x.shape.length;
      if (pads.length !== 2 * rank) throw new Error(`${pads.length} pads for rank ${rank}`);
      const shape = x.shape.map((dim, i) => dim + pads[i]! + pads[rank + i]!);
      if (!shape.every((dim) => dim > 0)) throw new Error(`pads [${pads.join()}] leave nothing`);
      return [{ type: x.type, shape }];
    },
    encoding: { pads: { input: 1, as: 'int64' } },
  },
  Expand: {
    arity: [1, 1],
    infer: (inputs, { shape }) => {
      const x = inputAt(inputs, 0);
      if (!sameShape(broadcastShapes(x.shape, shape), shape))
        throw new Error(`[${x.shape.join()}] to [${shape.join()}]`);
      return [{ type: x.type, shape }];
    },
    encoding: { shape: { input: 1, as: 'int64' } },
  },
  Gather: {
    arity: [2, 2],
    infer: (inputs, { axis }) => {
      const data = inputAt(inputs, 0);
      const indices = inputAt(inputs, 1);
      if (indices.type !== 'int32' && indices.type !== 'int64')
        throw new Error(`indices are ${indices.type}`);
      const at = normalizeAxis(axis, data.shape.length);
      return [
        {
          type: data.type,
          shape: [...data.shape.slice(0, at), ...indices.shape, ...data.shape.slice(at + 1)],
        },
      ];
    },
    encoding: { axis: 'int' },
  },
  GatherBlockQuantized: {
    arity: [3, 3],
    infer: (inputs, { bits, block_size, quantize_axis }) => {
      const [data, indices, scales] = [0, 1, 2].map((i) => inputAt(inputs, i)) as [Value, Value, Value];
      if (data.type !== 'uint8') throw new Error(`data are ${data.type}`);
      if (indices.type !== 'int32') throw new Error(`indices are ${indices.type}`);
      if (quantize_axis !== data.shape.length - 1) throw new Error(`quantized along ${quantize_axis}`);
      const columns = (data.shape.at(-1)! * 8) / bits;
      if (!sameShape(scales.shape, data.shape.with(-1, columns / block_size)))
        throw new Error(`[${scales.shape.join()}] scales of blocks of ${block_size} of ${columns}`);
      return [{ type: scales.type, shape: [...indices.shape, ...data.shape.slice(1, -1), columns] }];
    },
    encoding: { bits: 'int', block_size: 'int', gather_axis: 'int', quantize_axis: 'int' },
    domain: 'com.microsoft',
  },
  Resize: {
    arity: [1, 1],
    infer: (inputs, { scales }) => {
      const x = inputAt(inputs, 0);
      if (scales.length !== x.shape.length || !scales.every((scale) => Number.isInteger(scale) && scale > 0))
        throw new Error(`scales [${scales.join()}] of rank ${x.shape.length}`);
      return [{ type: x.type, shape: x.shape.map((dim, i) => dim * scales[i]!) }];
    },
    encoding: {
      scales: { input: 2, as: 'float32' }, // input 1 is the unused roi
      mode: 'string',
      coordinate_transformation_mode: 'string',
      nearest_mode: 'string',
    },
  },
};
