// CLIPTextModel of transformers (Radford et al. 2021): token ids → the hidden states that condition the UNet.
import type { GraphBuilder } from '../../onnx/builder';
import type { Value } from '../../onnx/graph';
import { add, gather, gelu, mul, reshape, scale, sigmoid } from '../../onnx/operators';
import { attention, type AttentionNames } from '../attention';
import { layerNorm, linear, weight, within, type Scope } from '../layers';
import type { ClipTextConfig } from './config';

const names: AttentionNames = { q: 'q_proj', k: 'k_proj', v: 'v_proj', out: 'out_proj' };

/** ids int32 [n, max_position_embeddings] → last hidden state after the final norm [n, t, hidden_size]. */
export function clipTextModel(scope: Scope, config: ClipTextConfig, ids: Value): Value {
  const { builder: b } = scope;
  const text = within(scope, 'text_model');
  const t = config.max_position_embeddings;
  b.segment(`${scope.path}.embeddings`);
  const embeddings = within(text, 'embeddings');
  const tokens = weight(within(embeddings, 'token_embedding'), 'weight', [
    config.vocab_size,
    config.hidden_size,
  ]);
  const positions = weight(within(embeddings, 'position_embedding'), 'weight', [t, config.hidden_size]);
  const n = ids.shape[0]!;
  let x = reshape(b, add(b, gather(b, tokens, ids), positions), [n * t, config.hidden_size]);
  const mask = causalMask(b, t);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    b.segment(`${scope.path}.layers.${i}`);
    x = encoderLayer(within(text, `encoder.layers.${i}`), config, n, x, mask);
  }
  b.segment(`${scope.path}.final_layer_norm`);
  const normalized = layerNorm(within(text, 'final_layer_norm'), x, config.layer_norm_eps);
  return reshape(b, normalized, [n, t, config.hidden_size]);
}

function encoderLayer(scope: Scope, config: ClipTextConfig, batch: number, x: Value, mask: Value): Value {
  const { builder: b } = scope;
  const { layer_norm_eps: epsilon, num_attention_heads: heads } = config;
  const first = layerNorm(within(scope, 'layer_norm1'), x, epsilon);
  const attended = add(
    b,
    x,
    attention(within(scope, 'self_attn'), first, first, { batch, heads, bias: true, names, mask }),
  );
  const second = layerNorm(within(scope, 'layer_norm2'), attended, epsilon);
  const inner = linear(within(scope, 'mlp.fc1'), second, config.intermediate_size);
  const active = config.hidden_act === 'gelu' ? gelu(b, inner) : quickGelu(b, inner);
  return add(b, attended, linear(within(scope, 'mlp.fc2'), active, config.hidden_size));
}

/** x · sigmoid(1.702·x), the GELU that OpenAI's CLIP was trained with. */
const quickGelu = (b: GraphBuilder, x: Value): Value => mul(b, x, sigmoid(b, scale(b, x, 1.702)));

/** [1, 1, t, t]: 0 up to the diagonal, so negative above it that the softmax makes it 0 (finite: WGSL promises no infinities). */
function causalMask(b: GraphBuilder, t: number): Value {
  const mask = new Float32Array(t * t);
  for (let row = 0; row < t; row++) mask.fill(-1e9, row * t + row + 1, (row + 1) * t);
  return b.constant(mask, [1, 1, t, t]);
}
