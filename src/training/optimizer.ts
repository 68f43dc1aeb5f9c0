// AdamW with clipping by the global norm, as one graph over every trained vector (Loshchilov & Hutter 2019; the update is
// torch.optim.AdamW's, the clipping torch.nn.utils.clip_grad_norm_'s).
import { GraphBuilder } from '../onnx/builder';
import type { Graph, Value } from '../onnx/graph';
import { add, div, minimum, mul, scale, sqrt, sub, sumSquares } from '../onnx/operators';

export type AdamWOptions = {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly maxGradNorm: number;
};

/** torch's defaults for the moments. */
export const adamWDefaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/** Names of a vector's tensors in the optimizer's graph: moments, gradient, and the updated ones. */
export const momentNames = (vector: string) => ({
  m: `m.${vector}`,
  v: `v.${vector}`,
  grad: `grad.${vector}`,
  next: `next.${vector}`,
  nextM: `next.m.${vector}`,
  nextV: `next.v.${vector}`,
});

/**
 * Inputs, for each vector: itself, m.*, v.*, grad.* (all [size]); and three [1]: learningRate, correction1 = 1 − β₁ᵗ and
 * correction2 = √(1 − β₂ᵗ) for step t = 1, 2, …  Outputs: next.*, next.m.*, next.v.* and gradNorm [1] (before clipping).
 */
export function adamWGraph(
  vectors: readonly { readonly name: string; readonly size: number }[],
  options: AdamWOptions,
): Graph {
  const { beta1, beta2, epsilon, weightDecay, maxGradNorm } = options;
  const b = new GraphBuilder('optimizer');
  const learningRate = b.input('learningRate', 'float32', [1]);
  const correction1 = b.input('correction1', 'float32', [1]);
  const correction2 = b.input('correction2', 'float32', [1]);
  const grads = vectors.map(({ name, size }) => b.input(momentNames(name).grad, 'float32', [size]));
  const squares = grads.map((grad) => sumSquares(b, grad)).reduce((sum, square) => add(b, sum, square));
  const gradNorm = sqrt(b, squares);
  // clip_grad_norm_: g · min(1, max / (norm + 1e-6))
  const clip = minimum(b, div(b, b.scalar(maxGradNorm), add(b, gradNorm, b.scalar(1e-6))), b.scalar(1));
  const decay = sub(b, b.scalar(1), scale(b, learningRate, weightDecay));
  const stepSize = div(b, learningRate, correction1);

  const outputs: Record<string, Value> = { gradNorm };
  vectors.forEach(({ name, size }, i) => {
    const names = momentNames(name);
    const theta = b.input(name, 'float32', [size]);
    const m = b.input(names.m, 'float32', [size]);
    const v = b.input(names.v, 'float32', [size]);
    const g = mul(b, grads[i]!, clip);
    const nextM = add(b, scale(b, m, beta1), scale(b, g, 1 - beta1));
    const nextV = add(b, scale(b, v, beta2), scale(b, mul(b, g, g), 1 - beta2));
    const denominator = add(b, div(b, sqrt(b, nextV), correction2), b.scalar(epsilon));
    const step = mul(b, div(b, nextM, denominator), stepSize);
    outputs[names.next] = sub(b, mul(b, theta, decay), step);
    outputs[names.nextM] = nextM;
    outputs[names.nextV] = nextV;
  });
  return b.finish(outputs);
}
