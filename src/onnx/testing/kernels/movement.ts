// Reference kernels of ops that move elements. For tests only.
import { sizeOf, type Shape } from '../../graph';
import type { MovementAttributes } from '../../ops/movement';
import { normalizeAxis } from '../../ops/schema';
import { offsets, readView, repeatingStrides, stridesOf } from '../tensor';
import type { Kernels } from './kernel';

/** How many elements the axes before and after `axis` make. */
const around = (shape: Shape, axis: number): readonly [number, number] => [
  sizeOf(shape.slice(0, axis)),
  sizeOf(shape.slice(axis + 1)),
];

export const movementKernels: Kernels<MovementAttributes> = {
  Reshape: ([x]) => [x!.data],
  Transpose: ([x], { perm }, [shape]) => {
    const strides = stridesOf(x!.shape);
    return [
      readView(
        x!,
        shape!,
        perm.map((axis) => strides[axis]!),
      ),
    ];
  },
  Concat: (inputs, { axis }, [shape]) => {
    const at = normalizeAxis(axis, shape!.length);
    const [outer, inner] = around(shape!, at);
    const out = new Float64Array(sizeOf(shape!));
    const row = shape![at]! * inner;
    let start = 0;
    for (const x of inputs) {
      const length = x!.shape[at]! * inner;
      for (let i = 0; i < outer; i++)
        out.set(x!.data.subarray(i * length, (i + 1) * length), i * row + start);
      start += length;
    }
    return [out];
  },
  Slice: ([x], { starts, axes, steps }, [shape]) => {
    const strides = stridesOf(x!.shape);
    const start = axes.reduce((offset, axis, i) => offset + starts[i]! * strides[axis]!, 0);
    const stepped = strides.map((stride, axis) => stride * (steps[axes.indexOf(axis)] ?? 1));
    return [readView(x!, shape!, stepped, start)];
  },
  Pad: ([x], { pads }, [shape]) => {
    const rank = shape!.length;
    const before = pads.slice(0, rank);
    const after = pads.slice(rank);
    const dot = (counts: readonly number[], strides: readonly number[]) =>
      counts.reduce((sum, count, i) => sum + count * strides[i]!, 0);
    const cropped = x!.shape.map((dim, i) => dim + Math.min(before[i]!, 0) + Math.min(after[i]!, 0));
    const from = stridesOf(x!.shape);
    const start = dot(
      before.map((count) => Math.max(-count, 0)),
      from,
    );
    const to = stridesOf(shape!);
    const end = dot(
      before.map((count) => Math.max(count, 0)),
      to,
    );
    const out = new Float64Array(sizeOf(shape!));
    const kept = readView(x!, cropped, from, start);
    offsets(cropped, to, end).forEach((at, i) => (out[at] = kept[i]!));
    return [out];
  },
  Expand: ([x], _attributes, [shape]) => [readView(x!, shape!, repeatingStrides(x!.shape, shape!.length))],
  Gather: ([data, indices], { axis }) => {
    const at = normalizeAxis(axis, data!.shape.length);
    const [outer, inner] = around(data!.shape, at);
    const dim = data!.shape[at]!;
    const out = new Float64Array(outer * indices!.data.length * inner);
    let end = 0;
    for (let i = 0; i < outer; i++)
      for (const index of indices!.data) {
        const row = (i * dim + (index < 0 ? index + dim : index)) * inner;
        out.set(data!.data.subarray(row, row + inner), end);
        end += inner;
      }
    return [out];
  },
  // Nearest, asymmetric, floor, by whole factors: every element repeated, as a view with a stride of 0 for the copies.
  GatherBlockQuantized: ([data, indices, scales], { bits, block_size }, [shape]) => {
    const out = new Float64Array(sizeOf(shape!));
    const row = out.length / indices!.data.length;
    const perByte = 8 / bits;
    return [
      out.map((_, i) => {
        const at = indices!.data[Math.floor(i / row)]! * row + (i % row);
        const byte = data!.data[Math.floor(at / perByte)]!;
        const level = (byte >> (bits * (at % perByte))) & (2 ** bits - 1);
        return (level - 2 ** (bits - 1)) * scales!.data[Math.floor(at / block_size)]!;
      }),
    ];
  },
  Resize: ([x], { scales }) => [
    readView(
      x!,
      x!.shape.flatMap((dim, axis) => [dim, scales[axis]!]),
      stridesOf(x!.shape).flatMap((stride) => [stride, 0]),
    ),
  ],
};
