// Gradients of ops that move elements: the gradient moves back.
import { sizeOf } from '../../onnx/graph';
import { cast, gemm, pad, reduceSum, reshape, reverse, slice, transpose } from '../../onnx/operators';
import type { MovementAttributes } from '../../onnx/ops/movement';
import { normalizeAxis } from '../../onnx/ops/schema';
import { gradOf, type GradRule, type NoGradient } from './rule';

export const movementRules: { readonly [Name in keyof MovementAttributes]: GradRule<Name> | NoGradient } = {
  Reshape: (b, node, grads) => [reshape(b, gradOf(grads), node.inputs[0]!.shape)],
  Transpose: (b, node, grads) => {
    const { perm } = node.attributes;
    return [
      transpose(
        b,
        gradOf(grads),
        perm.map((_, axis) => perm.indexOf(axis)),
      ),
    ];
  },
  Concat: (b, node, grads, wanted) => {
    const axis = normalizeAxis(node.attributes.axis, node.outputs[0]!.shape.length);
    let end = 0;
    return node.inputs.map((input, i) => {
      const start = end;
      end += input!.shape[axis]!;
      return wanted[i] ? slice(b, gradOf(grads), axis, start, end) : undefined;
    });
  },
  // dY, turned round where it was read backwards, with zeros in place of what was left out.
  Slice: (b, node, grads) => {
    const { shape } = node.inputs[0]!;
    const { starts, axes, steps } = node.attributes;
    if (!steps.every((step) => step === 1 || step === -1))
      throw new Error(`the gradient of a slice with steps [${steps.join()}]`);
    const length = node.outputs[0]!.shape;
    const before = shape.map((_, axis) => {
      const i = axes.indexOf(axis);
      return steps[i] === 1 ? starts[i]! : 0; // a reversed axis is a whole one
    });
    const after = shape.map((dim, axis) => dim - before[axis]! - length[axis]!);
    const dy = gradOf(grads);
    const reversed = axes.filter((_, i) => steps[i] === -1);
    return [pad(b, reversed.length > 0 ? reverse(b, dy, reversed) : dy, [...before, ...after])];
  },
  Pad: (b, node, grads) => [
    pad(
      b,
      gradOf(grads),
      node.attributes.pads.map((count) => -count),
    ),
  ],
  Expand: (_b, _node, grads) => [gradOf(grads)], // the walk sums it back
  // Rows that were taken several times add up: dData = onehot(indices)ᵀ · dY.
  Gather: (b, node, grads) => {
    const [data, indices] = node.inputs;
    if (node.attributes.axis !== 0) throw new Error('the gradient of Gather along an axis other than 0');
    const rows = data!.shape[0]!;
    const count = sizeOf(indices!.shape);
    const numbers = b.constant(
      Int32Array.from({ length: rows }, (_, i) => i),
      [1, rows],
    );
    const isRow = b.node('Equal', [reshape(b, cast(b, indices!, 'int32'), [count, 1]), numbers], {});
    const dy = reshape(b, gradOf(grads), [count, sizeOf(data!.shape) / rows]);
    return [reshape(b, gemm(b, cast(b, isRow, dy.type), dy, { transA: true }), data!.shape), undefined];
  },
  GatherBlockQuantized: 'no-gradient', // of frozen weights only
  // Each pixel was repeated scale times along each axis: the sum over its copies.
  Resize: (b, node, grads) => {
    const { shape } = node.inputs[0]!;
    const { scales } = node.attributes;
    const split = reshape(
      b,
      gradOf(grads),
      shape.flatMap((dim, i) => (scales[i] === 1 ? [dim] : [dim, scales[i]!])),
    );
    const copies: number[] = [];
    let axis = 0;
    for (const factor of scales) {
      if (factor !== 1) copies.push(++axis);
      axis++;
    }
    return [reduceSum(b, split, copies, false)];
  },
};
