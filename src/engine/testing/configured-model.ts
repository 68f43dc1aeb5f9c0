// A Stable Diffusion of given configs with small random weights, the same in every run. For tests and measurements only.
import { parseSchedule } from '../../diffusion/schedule';
import { parseClipTextConfig } from '../../models/clip/config';
import { pixelsPerLatent } from '../../models/parameters';
import type { Preset } from '../../models/presets/preset';
import { decodeGraph, denoiseGraph, encodeGraph, textGraph } from '../../models/stable-diffusion';
import { parseUnetConfig } from '../../models/unet/config';
import { parseAutoencoderKlConfig } from '../../models/vae/kl';
import type { Graph } from '../../onnx/graph';
import { sizeOf } from '../../onnx/graph';
import type { ParameterSource } from '../../runtime/runtime';
import type { BaseModel } from '../base-model';

const readsNothing = (): never => {
  throw new Error('this model reads no text');
};

/** The model as openBaseModel would answer it, with an AutoencoderKL; its tokenizer reads nothing. */
export function configuredModel(configs: Omit<Preset, 'name' | 'specialTokens'>): BaseModel {
  const unet = parseUnetConfig(configs.unet);
  const text = parseClipTextConfig(configs.textEncoder);
  const vae = { kind: 'AutoencoderKL', config: parseAutoencoderKlConfig(configs.vae) } as const;
  const { resolution } = configs;
  const scale = pixelsPerLatent(vae);
  const latents = [1, unet.in_channels, resolution / scale, resolution / scale] as const;
  const plain = { contextLength: text.max_position_embeddings, guided: false, rescaled: false };
  return {
    manifest: {
      version: 1,
      id: 'configured',
      name: 'Configured',
      license: 'none',
      files: [],
      resolution,
      sampling: { sampler: 'ddim', steps: 2, guidance: 7.5, guidanceRescale: 0 },
      training: {},
    },
    unet,
    text,
    vae,
    schedule: parseSchedule(configs.scheduler),
    sampler: 'ddim',
    tokenizer: {
      encode: readsNothing,
      words: readsNothing,
      frame: readsNothing,
      room: text.max_position_embeddings - 2,
      comma: undefined,
    },
    pixelsPerLatent: scale,
    sources: {
      unet: sourcesOf(denoiseGraph(unet, { shape: latents, ...plain }).graph),
      text_encoder: sourcesOf(textGraph(text, 1).graph),
      vae: sourcesOf(decodeGraph(vae, latents), encodeGraph(vae, [1, 3, resolution, resolution])),
    },
    layers: [],
  };
}

function sourcesOf(...graphs: readonly Graph[]): ParameterSource[] {
  const values = new Map(graphs.flatMap(({ parameters }) => parameters.map((value) => [value.name, value])));
  return [...values.values()].map(({ name, shape }) => ({
    name,
    shape,
    type: 'float16',
    read: (begin = 0, end = 2 * sizeOf(shape)) => Promise.resolve(randomHalves(begin, end)),
  }));
}

/** Bytes `begin` to `end`: ±[2⁻⁷, 2⁻⁶), by a linear congruential generator. */
function randomHalves(begin: number, end: number): Uint8Array {
  const halves = new Uint16Array((end - begin) / 2);
  let state = end;
  for (let i = 0; i < halves.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    halves[i] = ((state >>> 16) & 0x83ff) | 0x2000;
  }
  return new Uint8Array(halves.buffer);
}
