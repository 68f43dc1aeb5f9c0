// A Stable Diffusion so small that every backend runs it in seconds: the UNet of a fixture with seeded weights. For tests only.
import { seededWeights } from '../../models/testing/seeded-weights';
import { parseClipTextConfig } from '../../models/clip/config';
import { denoiseGraph } from '../../models/stable-diffusion';
import { parseUnetConfig } from '../../models/unet/config';
import { parseAutoencoderTinyConfig } from '../../models/vae/tiny';
import { parseSchedule } from '../../diffusion/schedule';
import type { ParameterSource } from '../../runtime/runtime';
import type { BaseModel } from '../base-model';

const contextLength = 7;

const readsNothing = (): never => {
  throw new Error('the tiny model reads no text');
};

/** The model of these configs as openBaseModel would answer it; nothing but its UNet has weights. */
export function tinyModel(unetConfig: unknown, schedulerConfig: unknown): BaseModel {
  const unet = parseUnetConfig(unetConfig);
  const side = unet.sample_size;
  const shape = [1, unet.in_channels, side, side] as const;
  const { graph } = denoiseGraph(unet, { shape, contextLength, guided: false, rescaled: false });
  return {
    manifest: {
      version: 1,
      id: 'tiny',
      name: 'Tiny',
      license: 'none',
      files: [],
      resolution: side,
      sampling: { sampler: 'ddim', steps: 2, guidance: 4, guidanceRescale: 0.7 },
      training: {},
    },
    unet,
    text: parseClipTextConfig({
      hidden_size: unet.cross_attention_dim,
      intermediate_size: 1,
      num_hidden_layers: 1,
      num_attention_heads: 1,
      max_position_embeddings: contextLength,
      vocab_size: 1,
    }),
    vae: {
      kind: 'AutoencoderTiny',
      config: parseAutoencoderTinyConfig({
        encoder_block_out_channels: [1],
        decoder_block_out_channels: [1],
        num_encoder_blocks: [0],
        num_decoder_blocks: [0],
      }),
    },
    schedule: parseSchedule(schedulerConfig),
    sampler: 'ddim',
    tokenizer: {
      encode: readsNothing,
      words: readsNothing,
      frame: readsNothing,
      room: contextLength - 2,
      comma: undefined,
    },
    pixelsPerLatent: 1,
    sources: {
      unet: graph.parameters.map(({ name, shape: dims }): ParameterSource => ({
        name,
        type: 'float32',
        shape: dims,
        read: () => Promise.resolve(new Uint8Array(seededWeights(name, dims).buffer as ArrayBuffer)),
      })),
      text_encoder: [],
      vae: [],
    },
    layers: [],
  };
}
