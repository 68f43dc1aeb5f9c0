// diffusers' UNet2DConditionModel config, as far as Stable Diffusion 1.x and 2.x and their family use it.
import { z } from 'zod';
import { parseConfig, perLevel } from '../config';

const list = <T extends z.ZodType>(item: T) => z.union([item, z.array(item)]);
const only = <const T extends string | number | boolean | null>(value: T) =>
  z.literal(value).default(value as never);

const fields = z.object({
  in_channels: z.int().positive().default(4),
  out_channels: z.int().positive().default(4),
  sample_size: z.int().positive(),
  block_out_channels: z.array(z.int().positive()).min(1),
  layers_per_block: list(z.int().positive()).default(2),
  down_block_types: z.array(z.enum(['DownBlock2D', 'CrossAttnDownBlock2D'])).min(1),
  up_block_types: z.array(z.enum(['UpBlock2D', 'CrossAttnUpBlock2D'])).min(1),
  mid_block_type: z.literal('UNetMidBlock2DCrossAttn').nullable().default('UNetMidBlock2DCrossAttn'),
  attention_head_dim: list(z.int().positive()).default(8),
  cross_attention_dim: z.int().positive(),
  transformer_layers_per_block: list(z.int().positive()).default(1),
  norm_num_groups: z.int().positive().default(32),
  norm_eps: z.number().positive().default(1e-5),
  use_linear_projection: z.boolean().default(false),
  upcast_attention: z.boolean().nullish(), // counts in float16 alone
  flip_sin_to_cos: z.boolean().default(true),
  freq_shift: z.number().default(0),
  downsample_padding: z.int().min(0).max(1).default(1),
  time_cond_proj_dim: z.int().positive().nullish(),
  // What Stable Diffusion 1.x and 2.x never use: another value is another kind of model. Fields that are not here change
  // nothing: dropout (of training), and what only counts beside one of these.
  act_fn: only('silu'),
  conv_in_kernel: only(3),
  conv_out_kernel: only(3),
  center_input_sample: only(false),
  dual_cross_attention: only(false),
  only_cross_attention: only(false),
  attention_type: only('default'),
  num_attention_heads: only(null), // refused by diffusers too: attention_head_dim is their number
  reverse_transformer_layers_per_block: only(null),
  class_embed_type: only(null),
  class_embeddings_concat: only(false),
  num_class_embeds: only(null),
  cross_attention_norm: only(null),
  addition_embed_type: only(null),
  encoder_hid_dim: only(null),
  encoder_hid_dim_type: only(null),
  resnet_skip_time_act: only(false),
  time_embedding_act_fn: only(null),
  timestep_post_act: only(null),
  resnet_time_scale_shift: only('default'),
  resnet_out_scale_factor: only(1),
  mid_block_scale_factor: only(1),
  time_embedding_type: only('positional'),
  time_embedding_dim: only(null),
});

const schema = fields.superRefine(
  perLevel(
    'block_out_channels',
    'down_block_types',
    'up_block_types',
    'layers_per_block',
    'attention_head_dim',
    'transformer_layers_per_block',
  ),
);

export type UnetConfig = z.infer<typeof schema>;

/** Parses a UNet's config.json; throws AppError('unsupported-model'). */
export function parseUnetConfig(config: unknown): UnetConfig {
  return parseConfig(schema, 'UNet', config);
}

/** The entry for block `i` of a setting that is one number for all blocks or a list. */
export const perBlock = (setting: number | readonly number[], i: number): number =>
  typeof setting === 'number' ? setting : setting[i]!;

/** Attention heads of block `i`: what diffusers calls attention_head_dim is their number in these models (diffusers#2011). */
export const headsOf = (config: UnetConfig, i: number): number => perBlock(config.attention_head_dim, i);
