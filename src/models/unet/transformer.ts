// Transformer2DModel of diffusers: attention among the pixels and to the text.
import type { Value } from '../../onnx/graph';
import { add, gelu, mul, reshape, slice } from '../../onnx/operators';
import { attention, diffusersNames } from '../attention';
import { conv2d, fromTokens, groupNorm, layerNorm, linear, toTokens, within, type Scope } from '../layers';

export type TransformerOptions = {
  readonly heads: number;
  readonly layers: number;
  readonly groups: number;
  readonly useLinearProjection: boolean;
  readonly upcast: boolean; // attention scores in float32
};

/** x [n, c, h, w], context [n, s, e] → [n, c, h, w]. The projections at both ends belong to the first and the last part. */
export function transformer2d(scope: Scope, x: Value, context: Value, options: TransformerOptions): Value {
  const { builder: b } = scope;
  b.part(scope.path);
  const [n, c] = x.shape as readonly [number, number];
  const text = reshape(b, context, [n * context.shape[1]!, context.shape[2]!]);
  const { heads, layers, groups, useLinearProjection, upcast } = options;
  const projIn = within(scope, 'proj_in');
  const projOut = within(scope, 'proj_out');
  const normalized = groupNorm(within(scope, 'norm'), x, groups, 1e-6);
  let tokens = useLinearProjection
    ? linear(projIn, toTokens(b, normalized), c)
    : toTokens(b, conv2d(projIn, normalized, c, { size: 1 }));
  for (let i = 0; i < layers; i++) {
    if (i > 0) b.part(`${scope.path}.transformer_blocks.${i}`);
    tokens = basicTransformerBlock(within(scope, `transformer_blocks.${i}`), tokens, text, {
      batch: n,
      heads,
      upcast,
    });
  }
  const projected = useLinearProjection
    ? fromTokens(b, linear(projOut, tokens, c), x.shape)
    : conv2d(projOut, fromTokens(b, tokens, x.shape), c, { size: 1 });
  return add(b, projected, x);
}

/** BasicTransformerBlock, a part for each of its three layers: self-attention, cross-attention and a gated feed-forward layer, each behind a layer norm. */
function basicTransformerBlock(
  scope: Scope,
  x: Value,
  context: Value,
  size: { batch: number; heads: number; upcast: boolean },
): Value {
  const { builder: b } = scope;
  const options = { ...size, bias: false, names: diffusersNames };
  const first = layerNorm(within(scope, 'norm1'), x);
  let h = add(b, x, attention(within(scope, 'attn1'), first, first, options));
  b.part(`${scope.path} attn2`);
  h = add(b, h, attention(within(scope, 'attn2'), layerNorm(within(scope, 'norm2'), h), context, options));
  b.part(`${scope.path} ff`);
  return add(b, h, feedForward(within(scope, 'ff'), layerNorm(within(scope, 'norm3'), h)));
}

/** GEGLU (Shazeer 2020): value · gelu(gate), then a projection back. */
function feedForward(scope: Scope, x: Value): Value {
  const { builder: b } = scope;
  const c = x.shape.at(-1)!;
  const both = linear(within(scope, 'net.0.proj'), x, 8 * c);
  const value = slice(b, both, -1, 0, 4 * c);
  const gate = slice(b, both, -1, 4 * c, 8 * c);
  return linear(within(scope, 'net.2'), mul(b, value, gelu(b, gate)), c);
}
