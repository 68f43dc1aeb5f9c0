// Ops that combine elements along axes, and the normalisations built on them.
import type { Shape } from '../value';
import { commonType, inputAt, normalizeAxis, sameShape, type OpSchema, type TensorType } from './schema';

type Reduce = { readonly axes: readonly number[]; readonly keepdims: 0 | 1 };

export type ReductionAttributes = {
  ReduceSum: Reduce;
  ReduceMean: Reduce;
  ReduceSumSquare: Reduce;
  Softmax: { readonly axis: number };
  /** Outputs: y, and mean and inverse standard deviation with the normalised axes kept as 1. */
  LayerNormalization: { readonly axis: number; readonly epsilon: number };
  /** x [n, c, ...], scale [c], bias [c]: each channel of each sample is normalised alone. */
  InstanceNormalization: { readonly epsilon: number };
};

const reduce: OpSchema<Reduce> = {
  arity: [1, 1],
  infer: (inputs, { axes, keepdims }) => {
    const x = inputAt(inputs, 0);
    if (axes.length === 0) throw new Error('no axes'); // which ONNX takes for all axes
    const dropped = new Set(axes.map((axis) => normalizeAxis(axis, x.shape.length)));
    const shape: Shape = keepdims
      ? x.shape.map((dim, i) => (dropped.has(i) ? 1 : dim))
      : x.shape.filter((_, i) => !dropped.has(i));
    return [{ type: x.type, shape }];
  },
  encoding: { axes: { input: 1, as: 'int64' }, keepdims: 'int' },
};

export const reductionOps: {
  readonly [Name in keyof ReductionAttributes]: OpSchema<ReductionAttributes[Name]>;
} = {
  ReduceSum: reduce,
  ReduceMean: reduce,
  ReduceSumSquare: reduce,
  Softmax: {
    arity: [1, 1],
    infer: (inputs, { axis }) => {
      const x = inputAt(inputs, 0);
      normalizeAxis(axis, x.shape.length);
      return [x];
    },
    encoding: { axis: 'int' },
  },
  LayerNormalization: {
    arity: [2, 3],
    infer: (inputs, { axis }) => {
      const x = inputAt(inputs, 0);
      const at = normalizeAxis(axis, x.shape.length);
      for (const affine of inputs.slice(1))
        if (affine && !sameShape(affine.shape, x.shape.slice(at)))
          throw new Error(`scale or bias is [${affine.shape.join()}]`);
      const moments: TensorType = {
        type: commonType(inputs),
        shape: x.shape.map((dim, i) => (i < at ? dim : 1)),
      };
      return [x, moments, moments];
    },
    encoding: { axis: 'int', epsilon: 'float' },
  },
  InstanceNormalization: {
    arity: [3, 3],
    infer: (inputs) => {
      const x = inputAt(inputs, 0);
      if (x.shape.length < 3) throw new Error('InstanceNormalization takes [n, c, ...]');
      for (const affine of inputs.slice(1))
        if (!affine || !sameShape(affine.shape, [x.shape[1]!])) throw new Error('scale and bias must be [c]');
      return [{ type: commonType(inputs), shape: x.shape }];
    },
    encoding: { epsilon: 'float' },
  },
};
