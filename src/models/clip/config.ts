// transformers' CLIPTextConfig, as far as the text encoder uses it.
import { z } from 'zod';
import { parseConfig } from '../config';

const schema = z.object({
  model_type: z.literal(['clip_text_model', 'clip']).default('clip_text_model'), // others are no CLIP, whatever their sizes
  hidden_size: z.int().positive(),
  intermediate_size: z.int().positive(),
  num_hidden_layers: z.int().positive(),
  num_attention_heads: z.int().positive(),
  max_position_embeddings: z.int().positive(),
  vocab_size: z.int().positive(),
  hidden_act: z.enum(['quick_gelu', 'gelu']).default('quick_gelu'),
  layer_norm_eps: z.number().positive().default(1e-5),
  use_attention_mask: z.literal(false).nullish(), // a pipeline would hide the padding then; eos_token_id only matters to the pooled state
});

export type ClipTextConfig = z.infer<typeof schema>;

/** Parses a text encoder's config.json; throws AppError('unsupported-model'). */
export const parseClipTextConfig = (config: unknown): ClipTextConfig =>
  parseConfig(schema, 'text encoder', config);
