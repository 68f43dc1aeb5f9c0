// UNet2DConditionModel of diffusers (Rombach et al. 2022): noisy latents, a time step and the text → the predicted noise or velocity.
import { assertExists } from '../../base/assert';
import type { GraphBuilder } from '../../onnx/builder';
import type { Value } from '../../onnx/graph';
import { add, cast, concat, pad } from '../../onnx/operators';
import { conv2d, groupNorm, linear, silu, upsample, within, type Scope } from '../layers';
import { resnet } from '../resnet';
import { headsOf, perBlock, type UnetConfig } from './config';
import { transformer2d } from './transformer';

export type UnetInputs = {
  readonly sample: Value; // [n, in_channels, h, w]
  readonly time: Value; // time features [n, block_out_channels[0]]
  readonly context: Value; // text hidden states [n, s, cross_attention_dim]
  readonly timeCondition?: Value; // guidance embedding [n, time_cond_proj_dim] (latent consistency models)
};

type Context = { readonly config: UnetConfig; readonly time: Value; readonly text: Value };

/**
 * The prediction, of the sample's shape with out_channels; sides may be odd, on any level. Each block is a segment, each layer in it a
 * part. Inputs and prediction are float32; the time embedding is computed so too, in a scope of float16 as well: it is a few rows.
 */
export function unet(scope: Scope, config: UnetConfig, inputs: UnetInputs): Value {
  const { builder: b } = scope;
  const channels = config.block_out_channels;
  b.segment(`${scope.path}.conv_in`);
  const inType = (value: Value) => cast(b, value, scope.computeType);
  const time = timeEmbedding({ ...scope, computeType: 'float32' }, config, inputs);
  const context: Context = { config, time: inType(time), text: inType(inputs.context) };
  let x = conv2d(within(scope, 'conv_in'), inType(inputs.sample), channels[0]!, { size: 3 });
  const skips = [x];
  config.down_block_types.forEach((type, i) => {
    b.segment(`${scope.path}.down_blocks.${i}`);
    x = downBlock(within(scope, `down_blocks.${i}`), context, i, type === 'CrossAttnDownBlock2D', x, skips);
  });
  if (config.mid_block_type !== null) {
    b.segment(`${scope.path}.mid_block`);
    x = midBlock(within(scope, 'mid_block'), context, x);
  }
  config.up_block_types.forEach((type, i) => {
    b.segment(`${scope.path}.up_blocks.${i}`);
    x = upBlock(within(scope, `up_blocks.${i}`), context, i, type === 'CrossAttnUpBlock2D', x, skips);
  });
  b.segment(`${scope.path}.conv_out`);
  const normalized = groupNorm(within(scope, 'conv_norm_out'), x, config.norm_num_groups, config.norm_eps);
  const output = conv2d(within(scope, 'conv_out'), silu(b, normalized), config.out_channels, { size: 3 });
  return cast(b, output, 'float32');
}

/** silu of the time embedding [n, 4·c₀]: every ResNet block starts with it, so it is taken once. */
function timeEmbedding(scope: Scope, config: UnetConfig, { time, timeCondition }: UnetInputs): Value {
  const { builder: b } = scope;
  const size = 4 * config.block_out_channels[0]!;
  const at = within(scope, 'time_embedding');
  const features = timeCondition
    ? add(b, time, linear(within(at, 'cond_proj'), timeCondition, time.shape[1]!, { bias: false }))
    : time;
  const hidden = silu(b, linear(within(at, 'linear_1'), features, size));
  return silu(b, linear(within(at, 'linear_2'), hidden, size));
}

/** A ResNet block; in the way up it takes the skipped value of the way down beside x. */
function resnetPart(scope: Scope, { config, time }: Context, x: Value, out: number, skip?: Value): Value {
  const { builder: b } = scope;
  b.part(scope.path);
  const both = skip ? concat(b, [x, skip], 1) : x;
  return resnet(scope, both, out, time, { groups: config.norm_num_groups, epsilon: config.norm_eps });
}

/** The transformer of block `i` in down order. */
function transformer(scope: Scope, { config, text }: Context, i: number, x: Value): Value {
  return transformer2d(scope, x, text, {
    heads: headsOf(config, i),
    layers: perBlock(config.transformer_layers_per_block, i),
    groups: config.norm_num_groups,
    useLinearProjection: config.use_linear_projection,
    upcast: config.upcast_attention ?? false,
  });
}

function downBlock(
  scope: Scope,
  context: Context,
  i: number,
  attends: boolean,
  x: Value,
  skips: Value[],
): Value {
  const { config } = context;
  const out = config.block_out_channels[i]!;
  for (let j = 0; j < perBlock(config.layers_per_block, i); j++) {
    x = resnetPart(within(scope, `resnets.${j}`), context, x, out);
    if (attends) x = transformer(within(scope, `attentions.${j}`), context, i, x);
    skips.push(x);
  }
  if (i < config.block_out_channels.length - 1) {
    scope.builder.part(`${scope.path} downsampler`);
    x = downsample(scope.builder, within(scope, 'downsamplers.0.conv'), config.downsample_padding, x);
    skips.push(x);
  }
  return x;
}

/** A 3×3 convolution of stride 2; with padding 0 diffusers pads one row and column at the end. */
function downsample(b: GraphBuilder, scope: Scope, padding: number, x: Value): Value {
  const padded = padding === 0 ? pad(b, x, [0, 0, 0, 0, 0, 0, 1, 1]) : x;
  return conv2d(scope, padded, x.shape[1]!, { size: 3, stride: 2, padding });
}

function midBlock(scope: Scope, context: Context, x: Value): Value {
  const last = context.config.block_out_channels.length - 1;
  const out = context.config.block_out_channels[last]!;
  x = resnetPart(within(scope, 'resnets.0'), context, x, out);
  x = transformer(within(scope, 'attentions.0'), context, last, x);
  return resnetPart(within(scope, 'resnets.1'), context, x, out);
}

function upBlock(
  scope: Scope,
  context: Context,
  i: number,
  attends: boolean,
  x: Value,
  skips: Value[],
): Value {
  const { config } = context;
  const level = config.block_out_channels.length - 1 - i; // the down block that this one mirrors
  const out = config.block_out_channels[level]!;
  for (let j = 0; j <= perBlock(config.layers_per_block, level); j++) {
    x = resnetPart(
      within(scope, `resnets.${j}`),
      context,
      x,
      out,
      assertExists(skips.pop(), 'what was skipped'),
    );
    if (attends) x = transformer(within(scope, `attentions.${j}`), context, level, x);
  }
  if (level === 0) return x;
  scope.builder.part(`${scope.path} upsampler`);
  const [, , height, width] = assertExists(skips.at(-1), 'what was skipped').shape; // an odd side was rounded up on the way down
  return upsample(within(scope, 'upsamplers.0'), x, { height: height!, width: width! });
}
