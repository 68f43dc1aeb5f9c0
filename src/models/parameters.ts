// Every weight that the graphs of a Stable Diffusion pipeline take, by its diffusers name, and every layer that an adapter can stand on.
import type { Value } from '../onnx/graph';
import type { ClipTextConfig } from './clip/config';
import type { LayerKind } from './lora';
import {
  decodeGraph,
  denoiseGraph,
  encodeGraph,
  textGraph,
  type AutoencoderConfig,
  type LatentShape,
} from './stable-diffusion';
import type { UnetConfig } from './unet/config';

export type ModelConfigs = {
  readonly unet: UnetConfig;
  readonly text: ClipTextConfig;
  readonly vae: AutoencoderConfig;
};

export type AdaptableLayer = {
  readonly module: string; // "unet.mid_block.attentions.0.proj_in"
  readonly kind: LayerKind;
  readonly weight: readonly number[];
};

/** Pixels of a side of the picture for one of its latents. */
export function pixelsPerLatent({ kind, config }: AutoencoderConfig): number {
  const levels = kind === 'AutoencoderKL' ? config.block_out_channels : config.num_decoder_blocks;
  return 2 ** (levels.length - 1);
}

/** Builds the graphs at the smallest size that passes all levels, and answers what they are made of. */
export function listParameters({ unet, text, vae }: ModelConfigs): {
  readonly parameters: readonly Value[];
  readonly layers: readonly AdaptableLayer[];
} {
  const side = 2 ** (unet.block_out_channels.length - 1);
  const latents: LatentShape = [1, unet.in_channels, side, side];
  const pixels = side * pixelsPerLatent(vae);
  const layers: AdaptableLayer[] = [];
  const rankOf = (module: string, kind: LayerKind, weight: readonly number[]) => {
    layers.push({ module, kind, weight });
    return 0;
  };
  const contextLength = text.max_position_embeddings;
  const graphs = [
    denoiseGraph(unet, { shape: latents, contextLength, guided: false, rescaled: false, rankOf }).graph,
    textGraph(text, 1, { rankOf }).graph,
    decodeGraph(vae, [1, vae.config.latent_channels, side, side]),
    encodeGraph(vae, [1, 3, pixels, pixels]),
  ];
  return { parameters: graphs.flatMap((graph) => graph.parameters), layers };
}
