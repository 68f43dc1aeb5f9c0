// Stable Diffusion 1.x, 2.x-base and 2.x (v-prediction), as their diffusers folders describe them (stable-diffusion-v1-5,
// stable-diffusion-2-1-base, stable-diffusion-2-1).
import type { Preset } from './preset';

const unet = {
  sample_size: 64,
  in_channels: 4,
  out_channels: 4,
  block_out_channels: [320, 640, 1280, 1280],
  layers_per_block: 2,
  down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
  attention_head_dim: 8, // the number of heads
  cross_attention_dim: 768,
};

const clipVitL = {
  hidden_size: 768,
  intermediate_size: 3072,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  max_position_embeddings: 77,
  vocab_size: 49408,
  hidden_act: 'quick_gelu',
};

/** OpenCLIP ViT-H without its last layer: Stable Diffusion 2 looks at the hidden state before it. */
const openClipVitH = {
  ...clipVitL,
  hidden_size: 1024,
  intermediate_size: 4096,
  num_hidden_layers: 23,
  num_attention_heads: 16,
  hidden_act: 'gelu',
};

const vae = {
  latent_channels: 4,
  down_block_types: Array<string>(4).fill('DownEncoderBlock2D'),
  up_block_types: Array<string>(4).fill('UpDecoderBlock2D'),
  block_out_channels: [128, 256, 512, 512],
  layers_per_block: 2,
  scaling_factor: 0.18215,
};

const scheduler = {
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  num_train_timesteps: 1000,
  prediction_type: 'epsilon',
  set_alpha_to_one: false,
  steps_offset: 1,
};

const specialTokens = {
  bos_token: { content: '<|startoftext|>', normalized: true },
  eos_token: { content: '<|endoftext|>', normalized: true },
  unk_token: { content: '<|endoftext|>', normalized: true },
  pad_token: '<|endoftext|>',
};

export const stableDiffusion1: Preset = {
  name: 'Stable Diffusion 1',
  resolution: 512,
  unet,
  textEncoder: clipVitL,
  vae,
  scheduler,
  specialTokens,
};

export const stableDiffusion2Base: Preset = {
  name: 'Stable Diffusion 2 (base)',
  resolution: 512,
  unet: {
    ...unet,
    attention_head_dim: [5, 10, 20, 20],
    cross_attention_dim: 1024,
    use_linear_projection: true,
  },
  textEncoder: openClipVitH,
  vae,
  scheduler,
  specialTokens: { ...specialTokens, pad_token: '!' },
};

export const stableDiffusion2: Preset = {
  ...stableDiffusion2Base,
  name: 'Stable Diffusion 2',
  resolution: 768,
  unet: { ...stableDiffusion2Base.unet, sample_size: 96, upcast_attention: true },
  scheduler: { ...scheduler, prediction_type: 'v_prediction' },
};
