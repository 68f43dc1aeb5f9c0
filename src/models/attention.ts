// Scaled dot-product attention over several heads (Vaswani et al. 2017), written out so that it can be differentiated.
import type { Value } from '../onnx/graph';
import { add, matMul, reshape, scale, softmax, transpose } from '../onnx/operators';
import { linear, within, type Scope } from './layers';

export type AttentionNames = {
  readonly q: string;
  readonly k: string;
  readonly v: string;
  readonly out: string;
};

/** The names of diffusers' Attention module. */
export const diffusersNames: AttentionNames = { q: 'to_q', k: 'to_k', v: 'to_v', out: 'to_out.0' };

/**
 * softmax(Q Kᵀ / √d + mask) V, then the output projection: x [n·t, c], context [n·s, c'] (x itself for self-attention),
 * mask broadcastable to [n, heads, t, s]; n is `batch`. The width of q, k and v is c. Tokens of all samples stand in one
 * matrix, since that is what a linear layer takes.
 */
export function attention(
  scope: Scope,
  x: Value,
  context: Value,
  options: { batch: number; heads: number; bias: boolean; names: AttentionNames; mask?: Value },
): Value {
  const { builder: b } = scope;
  const { batch: n, heads, bias, names, mask } = options;
  const [rows, c] = x.shape as readonly [number, number];
  const t = rows / n;
  const s = context.shape[0]! / n;
  const d = c / heads;
  const q = reshape(b, linear(within(scope, names.q), x, c, { bias }), [n, t, heads, d]);
  const k = reshape(b, linear(within(scope, names.k), context, c, { bias }), [n, s, heads, d]);
  const v = reshape(b, linear(within(scope, names.v), context, c, { bias }), [n, s, heads, d]);
  const queries = transpose(b, scale(b, q, 1 / Math.sqrt(d)), [0, 2, 1, 3]); // scaled here: q is smaller than the scores
  const scores = matMul(b, queries, transpose(b, k, [0, 2, 3, 1])); // [n, heads, t, s]
  const weights = softmax(b, mask ? add(b, scores, mask) : scores);
  const mixed = transpose(b, matMul(b, weights, transpose(b, v, [0, 2, 1, 3])), [0, 2, 1, 3]);
  return linear(within(scope, names.out), reshape(b, mixed, [rows, c]), c);
}
