// Gradients of matrix products and convolutions.
import type { GraphBuilder } from '../../onnx/builder';
import type { Node, Value } from '../../onnx/graph';
import {
  conv,
  gemm,
  matMul,
  reduceSum,
  reshape,
  reverse,
  scale,
  slice,
  transpose,
} from '../../onnx/operators';
import type { LinalgAttributes } from '../../onnx/ops/linalg';
import { gradOf, type GradRule, type NoGradient } from './rule';

/** Swaps the last two axes. */
function swap(b: GraphBuilder, x: Value): Value {
  const rank = x.shape.length;
  return transpose(b, x, [...x.shape.keys()].slice(0, -2).concat(rank - 1, rank - 2));
}

/** d(A·B): dA = dY·Bᵀ, dB = Aᵀ·dY. A batch that was broadcast is summed by the walk. */
const matMulRule: GradRule<'MatMul'> = (b, node, grads, wanted) => {
  const [x, y] = node.inputs as readonly [Value, Value];
  const dy = gradOf(grads);
  return [
    wanted[0] ? matMul(b, dy, swap(b, y)) : undefined,
    wanted[1] ? matMul(b, swap(b, x), dy) : undefined,
  ];
};

/** d(α·op(A)·op(B) + C), with the transpositions folded into the products' own flags. */
const gemmRule: GradRule<'Gemm'> = (b, node, grads, wanted) => {
  const [x, y] = node.inputs as readonly [Value, Value];
  const { alpha } = node.attributes;
  const transA = node.attributes.transA === 1;
  const transB = node.attributes.transB === 1;
  const dy = gradOf(grads);
  const dx = () =>
    transA
      ? gemm(b, y, dy, { transA: transB, transB: true, alpha }) // dA = op(B)·dYᵀ
      : gemm(b, dy, y, { transB: !transB, alpha }); // dA = dY·op(B)ᵀ
  const dz = () =>
    transB
      ? gemm(b, dy, x, { transA: true, transB: transA, alpha }) // dB = dYᵀ·op(A)
      : gemm(b, x, dy, { transA: !transA, alpha }); // dB = op(A)ᵀ·dY
  return [
    wanted[0] ? dx() : undefined,
    wanted[1] ? dz() : undefined,
    wanted[2] ? scale(b, dy, node.attributes.beta) : undefined,
  ];
};

/** A 1×1 kernel that visits every pixel: a matrix product over the channels. */
function isPointwise(node: Node<'Conv'>): boolean {
  const { strides, pads } = node.attributes;
  const [, , kh, kw] = node.inputs[1]!.shape;
  return kh === 1 && kw === 1 && strides.every((step) => step === 1) && pads.every((count) => count === 0);
}

/** The padding of dY with which a convolution by the kernel turned around gives dX; undefined where that is not one of stride 1. */
function fullPads({
  inputs,
  attributes,
}: Node<'Conv'>): readonly [number, number, number, number] | undefined {
  const { strides, pads } = attributes;
  const [kh, kw] = inputs[1]!.shape.slice(2) as [number, number];
  const full = [kh - 1 - pads[0], kw - 1 - pads[1], kh - 1 - pads[2], kw - 1 - pads[3]] as const;
  return strides[0] === 1 && strides[1] === 1 && full.every((count) => count >= 0) ? full : undefined;
}

/**
 * dX of a convolution. With stride 1 it is a convolution of dY with the kernel turned around and its channels swapped, which ORT
 * computes faster than the transposed convolution (wasm, 3×3: 0.5 to 0.7 of its time), and a frozen kernel is turned once,
 * when the session is made. Otherwise the transposed convolution, cropped to x's size by output_padding.
 */
function convInputGrad(b: GraphBuilder, node: Node<'Conv'>, dy: Value): Value {
  const [x, w] = node.inputs as readonly [Value, Value];
  const { strides, pads } = node.attributes;
  const swapped = transpose(b, w, [1, 0, 2, 3]);
  if (isPointwise(node)) return conv(b, dy, swapped, undefined);
  const full = fullPads(node);
  if (full)
    return b.node('Conv', [dy, reverse(b, swapped, [2, 3])], { strides, pads: full, dilations: [1, 1] });
  const rest = (axis: 0 | 1) =>
    x.shape[2 + axis]! -
    (strides[axis] * (dy.shape[2 + axis]! - 1) + w.shape[2 + axis]! - pads[axis] - pads[2 + axis]!);
  return b.node('ConvTranspose', [dy, w], { strides, pads, output_padding: [rest(0), rest(1)] });
}

/** dW of a convolution: dY slides over x as a kernel, samples taking the channels' place and the stride becoming a dilation. */
function convWeightGrad(b: GraphBuilder, node: Node<'Conv'>, dy: Value): Value {
  const [x, w] = node.inputs as readonly [Value, Value];
  const { strides, pads } = node.attributes;
  const [o, c, kh, kw] = w.shape as readonly [number, number, number, number];
  const [n] = x.shape as readonly [number];
  if (isPointwise(node)) {
    const perSample = matMul(
      b,
      reshape(b, dy, [n, o, dy.shape[2]! * dy.shape[3]!]),
      swap(b, reshape(b, x, [n, c, x.shape[2]! * x.shape[3]!])),
    );
    return reshape(b, reduceSum(b, perSample, [0]), w.shape);
  }
  const swapped = [1, 0, 2, 3];
  const full = b.node('Conv', [transpose(b, x, swapped), transpose(b, dy, swapped)], {
    strides: [1, 1],
    pads,
    dilations: strides,
  }); // [c, o, ≥ kh, ≥ kw]
  return transpose(b, slice(b, slice(b, full, 2, 0, kh), 3, 0, kw), swapped);
}

/**
 * dX and dW for a trained kernel at stride 1, as matrix products over the patches of dY: row (o, i, j) of `patches` holds at pixel
 * (u, v) the value dY[o, u + p − i, v + p − j] that x[u, v] reached through kernel element (i, j), so dX = Wᵀ·patches and
 * dW = patches·xᵀ. What is trained is LoRA's matrix A with its few output channels, so patches are small; dY as the kernel of
 * a convolution over x unfolds all of x and multiplies it by matrices a few columns wide.
 */
function gradsByPatches(
  b: GraphBuilder,
  node: Node<'Conv'>,
  dy: Value,
  pads: readonly [number, number, number, number],
): { dx(): Value; dw(): Value } {
  const [x, w] = node.inputs as readonly [Value, Value];
  const [o, c, kh, kw] = w.shape as readonly [number, number, number, number];
  const [n, , height, width] = x.shape as readonly [number, number, number, number];
  const taps = kh * kw;
  const shifts = new Float32Array(taps * taps); // one kernel for each (i, j): a single 1, turned around
  for (let tap = 0; tap < taps; tap++) shifts[tap * taps + taps - 1 - tap] = 1;
  const planes = reshape(b, dy, [n * o, 1, dy.shape[2]!, dy.shape[3]!]);
  const shifted = b.node('Conv', [planes, b.constant(shifts, [taps, 1, kh, kw])], {
    strides: [1, 1],
    pads,
    dilations: [1, 1],
  });
  const patches = reshape(b, shifted, [n, o * taps, height * width]);
  return {
    dx: () => {
      const kernel = reshape(b, transpose(b, w, [1, 0, 2, 3]), [c, o * taps]);
      return reshape(b, matMul(b, kernel, patches), x.shape);
    },
    dw: () => {
      const pixels = reshape(b, x, [n, c, height * width]);
      const sum = reduceSum(b, matMul(b, patches, swap(b, pixels)), [0]);
      return reshape(b, swap(b, reshape(b, sum, [o, taps, c])), w.shape);
    },
  };
}

const convRule: GradRule<'Conv'> = (b, node, grads, wanted) => {
  const dy = gradOf(grads);
  const { dilations } = node.attributes;
  if (dilations[0] !== 1 || dilations[1] !== 1)
    throw new Error('the gradient of a dilated convolution is not there');
  const full = fullPads(node);
  const byPatches = wanted[1] && full && !isPointwise(node) ? gradsByPatches(b, node, dy, full) : undefined;
  return [
    wanted[0] ? (byPatches?.dx() ?? convInputGrad(b, node, dy)) : undefined,
    wanted[1] ? (byPatches?.dw() ?? convWeightGrad(b, node, dy)) : undefined,
    wanted[2] ? reduceSum(b, dy, [0, 2, 3], false) : undefined,
  ];
};

export const linalgRules: { readonly [Name in keyof LinalgAttributes]: GradRule<Name> | NoGradient } = {
  MatMul: matMulRule,
  Gemm: gemmRule,
  Conv: convRule,
  ConvTranspose: 'no-gradient', // only made by these rules; no model uses it
};
