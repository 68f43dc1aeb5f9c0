// AutoencoderKL of diffusers (Rombach et al. 2022), the autoencoder of Stable Diffusion.
import { z } from 'zod';
import type { Value } from '../../onnx/graph';
import { add, cast, pad, slice } from '../../onnx/operators';
import { attention, diffusersNames } from '../attention';
import { parseConfig, perLevel } from '../config';
import { conv2d, fromTokens, groupNorm, silu, toTokens, upsample, within, type Scope } from '../layers';
import { resnet } from '../resnet';

const fields = z.object({
  in_channels: z.literal(3).default(3), // colours
  out_channels: z.literal(3).default(3),
  latent_channels: z.int().positive().default(4),
  block_out_channels: z.array(z.int().positive()).min(1),
  layers_per_block: z.int().positive().default(1),
  norm_num_groups: z.int().positive().default(32),
  act_fn: z.literal('silu').default('silu'),
  down_block_types: z.array(z.literal('DownEncoderBlock2D')).default(['DownEncoderBlock2D']),
  up_block_types: z.array(z.literal('UpDecoderBlock2D')).default(['UpDecoderBlock2D']),
  use_quant_conv: z.literal(true).default(true), // Stable Diffusion 3 and Flux go without
  use_post_quant_conv: z.literal(true).default(true),
  mid_block_add_attention: z.literal(true).default(true),
  scaling_factor: z.number().default(0.18215),
  shift_factor: z
    .number()
    .nullish()
    .transform((shift) => shift ?? 0),
  latents_mean: z.null().default(null), // a shift and a scale of each channel: other models' pipelines apply them
  latents_std: z.null().default(null),
});

const schema = fields.superRefine(perLevel('block_out_channels', 'down_block_types', 'up_block_types'));

export type AutoencoderKlConfig = z.infer<typeof schema>;

/** Parses an AutoencoderKL's config.json; throws AppError('unsupported-model'). */
export const parseAutoencoderKlConfig = (config: unknown): AutoencoderKlConfig =>
  parseConfig(schema, 'autoencoder', config);

const epsilon = 1e-6;

/** Pictures [n, 3, H, W] in [-1, 1] → mean and log variance of the latents, each [n, latent_channels, h, w], unscaled. */
export function encodeKl(
  scope: Scope,
  config: AutoencoderKlConfig,
  picture: Value,
): { mean: Value; logVariance: Value } {
  const { builder: b } = scope;
  const at = within(scope, 'encoder');
  const channels = config.block_out_channels;
  const options = { groups: config.norm_num_groups, epsilon };
  let x = conv2d(within(at, 'conv_in'), picture, channels[0]!, { size: 3 });
  channels.forEach((out, i) => {
    const block = within(at, `down_blocks.${i}`);
    for (let j = 0; j < config.layers_per_block; j++)
      x = resnet(within(block, `resnets.${j}`), x, out, undefined, options);
    if (i < channels.length - 1) {
      const padded = pad(b, x, [0, 0, 0, 0, 0, 0, 1, 1]); // one row and column at the end
      x = conv2d(within(block, 'downsamplers.0.conv'), padded, out, { size: 3, stride: 2, padding: 0 });
    }
  });
  x = midBlock(within(at, 'mid_block'), config, x);
  x = silu(b, groupNorm(within(at, 'conv_norm_out'), x, config.norm_num_groups, epsilon));
  x = conv2d(within(at, 'conv_out'), x, 2 * config.latent_channels, { size: 3 });
  const moments = conv2d(within(scope, 'quant_conv'), x, 2 * config.latent_channels, { size: 1 });
  return {
    mean: slice(b, moments, 1, 0, config.latent_channels),
    logVariance: slice(b, moments, 1, config.latent_channels, 2 * config.latent_channels),
  };
}

/** Latents [n, latent_channels, h, w], unscaled → pictures [n, 3, H, W], nearly in [-1, 1]. Both are float32. */
export function decodeKl(scope: Scope, config: AutoencoderKlConfig, latents: Value): Value {
  const { builder: b } = scope;
  const at = within(scope, 'decoder');
  const channels = config.block_out_channels.toReversed();
  const options = { groups: config.norm_num_groups, epsilon };
  const inType = cast(b, latents, scope.computeType);
  let x = conv2d(within(scope, 'post_quant_conv'), inType, config.latent_channels, { size: 1 });
  x = conv2d(within(at, 'conv_in'), x, channels[0]!, { size: 3 });
  x = midBlock(within(at, 'mid_block'), config, x);
  channels.forEach((out, i) => {
    const block = within(at, `up_blocks.${i}`);
    for (let j = 0; j <= config.layers_per_block; j++)
      x = resnet(within(block, `resnets.${j}`), x, out, undefined, options);
    if (i < channels.length - 1) x = upsample(within(block, 'upsamplers.0'), x);
  });
  x = silu(b, groupNorm(within(at, 'conv_norm_out'), x, config.norm_num_groups, epsilon));
  return cast(b, conv2d(within(at, 'conv_out'), x, config.out_channels, { size: 3 }), 'float32');
}

/** ResNet, attention among the pixels with one head, ResNet. */
function midBlock(scope: Scope, config: AutoencoderKlConfig, x: Value): Value {
  const { builder: b } = scope;
  const out = x.shape[1]!;
  const options = { groups: config.norm_num_groups, epsilon };
  x = resnet(within(scope, 'resnets.0'), x, out, undefined, options);
  const at = within(scope, 'attentions.0');
  const tokens = toTokens(b, groupNorm(within(at, 'group_norm'), x, config.norm_num_groups, epsilon));
  const attended = attention(at, tokens, tokens, {
    batch: x.shape[0]!,
    heads: 1,
    bias: true,
    names: diffusersNames,
  });
  x = add(b, x, fromTokens(b, attended, x.shape));
  return resnet(within(scope, 'resnets.1'), x, out, undefined, options);
}
