// A base model: its configs, schedule, tokenizer and where its weights are. Nothing is on the device yet.
import { AppError } from '../base/errors';
import type { NoiseSchedule } from '../diffusion/schedule';
import { samplers, type SamplerName } from '../diffusion/samplers/samplers';
import type { ClipTextConfig } from '../models/clip/config';
import type { Tokenizer } from '../models/clip/tokenizer';
import { pixelsPerLatent, type AdaptableLayer } from '../models/parameters';
import type { AutoencoderConfig } from '../models/stable-diffusion';
import type { UnetConfig } from '../models/unet/config';
import type { ParameterSource } from '../runtime/runtime';
import type { ModelManifest } from '../storage/model-manifest';
import { readJson, type Component, type TokenizerParts } from './model-parts';
import { openModelFiles } from './open-model';

export type BaseModel = {
  readonly manifest: ModelManifest;
  readonly unet: UnetConfig;
  readonly text: ClipTextConfig;
  readonly vae: AutoencoderConfig;
  readonly schedule: NoiseSchedule;
  readonly sampler: SamplerName; // the one that the manifest advises
  readonly tokenizer: Tokenizer;
  readonly sources: Readonly<Record<Component, readonly ParameterSource[]>>;
  readonly pixelsPerLatent: number; // a side of the picture over a side of its latents
  /** Every layer that an adapter can stand on. */
  readonly layers: readonly AdaptableLayer[];
};

/** Reads one file of the model by its path. */
export type OpenFile = (path: string) => Promise<Blob>;

/** Opens a model in diffusers layout or in one file; AppError('unsupported-model' | 'bad-file' | 'file-missing') where it is none of ours. */
export async function openBaseModel(manifest: ModelManifest, open: OpenFile): Promise<BaseModel> {
  const files = manifest.files.map(async ({ path }) => [path, await open(path)] as const);
  const { configs, schedule, tokenizer, sources, layers } = await openModelFiles(
    new Map(await Promise.all(files)),
  );
  return {
    manifest,
    ...configs,
    schedule,
    sampler: samplerOf(manifest),
    tokenizer: await openTokenizer(tokenizer, configs.text.max_position_embeddings),
    pixelsPerLatent: pixelsPerLatent(configs.vae),
    sources,
    layers,
  };
}

function samplerOf({ sampling }: ModelManifest): SamplerName {
  if (sampling.sampler in samplers) return sampling.sampler as SamplerName;
  throw new AppError('unsupported-model', { reason: `sampler "${sampling.sampler}"` });
}

async function openTokenizer(
  { vocab, merges, specialTokensMap, tokenizerConfig }: TokenizerParts,
  maxLength: number,
): Promise<Tokenizer> {
  if (!vocab || !merges) throw new AppError('file-missing', { file: 'tokenizer/vocab.json' });
  const { createTokenizer } = await import('../models/clip/tokenizer'); // while the page is already in use
  return createTokenizer({
    vocab: (await readJson(vocab, 'tokenizer/vocab.json')) as Record<string, number>,
    merges: await merges.text(),
    specialTokensMap,
    tokenizerConfig,
    maxLength,
  });
}

/** Whether AUTOMATIC1111 and ComfyUI know this base: they have the widths of Stable Diffusion built in. */
export const isStableDiffusion = ({ unet }: Pick<BaseModel, 'unet'>): boolean =>
  unet.block_out_channels.join() === '320,640,1280,1280';
