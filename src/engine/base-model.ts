// A base model: its configs, schedule, tokenizer and where its weights are. Nothing is on the device yet.
import { AppError } from '../base/errors';
import { parseSchedule, type NoiseSchedule } from '../diffusion/schedule';
import { samplers, type SamplerName } from '../diffusion/samplers/samplers';
import { parseClipTextConfig, type ClipTextConfig } from '../models/clip/config';
import { createTokenizer, type Tokenizer } from '../models/clip/tokenizer';
import type { LayerKind } from '../models/lora';
import {
  decodeGraph,
  denoiseGraph,
  encodeGraph,
  textGraph,
  type AutoencoderConfig,
  type LatentShape,
} from '../models/stable-diffusion';
import { parseUnetConfig, type UnetConfig } from '../models/unet/config';
import { parseAutoencoderKlConfig } from '../models/vae/kl';
import { parseAutoencoderTinyConfig } from '../models/vae/tiny';
import type { Value } from '../onnx/graph';
import type { ParameterSource } from '../runtime/runtime';
import type { ModelManifest } from '../storage/model-manifest';
import { openSafetensors } from '../weights/safetensors';

export type Component = 'unet' | 'text_encoder' | 'vae';

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

type AdaptableLayer = {
  readonly module: string;
  readonly kind: LayerKind;
  readonly weight: readonly number[];
};

/** Reads one file of the model by its path in the diffusers folder. */
export type OpenFile = (path: string) => Promise<Blob>;

/** Opens a model in diffusers layout; AppError('unsupported-model' | 'bad-file') where it is none of ours. */
export async function openBaseModel(manifest: ModelManifest, open: OpenFile): Promise<BaseModel> {
  const json = async (path: string): Promise<unknown> => parseJson(path, await (await open(path)).text());
  // Older models have these two, newer ones may not; CLIP's own special tokens are the default.
  const jsonIfThere = (path: string): Promise<unknown> =>
    manifest.files.some((file) => file.path === path) ? json(path) : Promise.resolve({});
  const unet = parseUnetConfig(await json('unet/config.json'));
  const text = parseClipTextConfig(await json('text_encoder/config.json'));
  const vae = parseAutoencoder(await json('vae/config.json'));
  const schedule = parseSchedule(await json('scheduler/scheduler_config.json'));
  const tokenizer = createTokenizer({
    vocab: (await json('tokenizer/vocab.json')) as Record<string, number>,
    merges: await (await open('tokenizer/merges.txt')).text(),
    specialTokensMap: await jsonIfThere('tokenizer/special_tokens_map.json'),
    tokenizerConfig: await jsonIfThere('tokenizer/tokenizer_config.json'),
    maxLength: text.max_position_embeddings,
  });
  const levels = vae.kind === 'AutoencoderKL' ? vae.config.block_out_channels : vae.config.num_decoder_blocks;
  const model = {
    manifest,
    unet,
    text,
    vae,
    schedule,
    sampler: samplerOf(manifest),
    tokenizer,
    pixelsPerLatent: 2 ** (levels.length - 1),
    sources: {
      unet: await openWeights(open, 'unet', 'unet/diffusion_pytorch_model.safetensors'),
      text_encoder: await openWeights(open, 'text_encoder', 'text_encoder/model.safetensors'),
      vae: await openWeights(open, 'vae', 'vae/diffusion_pytorch_model.safetensors'),
    },
  };
  return { ...model, layers: checkWeights(model) };
}

function samplerOf({ sampling }: ModelManifest): SamplerName {
  if (sampling.sampler in samplers) return sampling.sampler as SamplerName;
  throw new AppError('unsupported-model', { reason: `sampler "${sampling.sampler}"` });
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError('bad-file', { file: path, reason: 'it is not JSON' }, error);
  }
}

function parseAutoencoder(config: unknown): AutoencoderConfig {
  const kind = (config as { readonly _class_name?: unknown })._class_name;
  if (kind === 'AutoencoderTiny') return { kind, config: parseAutoencoderTinyConfig(config) };
  if (kind === 'AutoencoderKL') return { kind, config: parseAutoencoderKlConfig(config) };
  throw new AppError('unsupported-model', { reason: `autoencoder of the class ${String(kind)}` });
}

async function openWeights(open: OpenFile, component: Component, path: string): Promise<ParameterSource[]> {
  const { tensors } = await openSafetensors(await open(path), path);
  const types = { F16: 'float16', F32: 'float32' } as const;
  return [...tensors].flatMap(([name, { dtype, shape, read }]): ParameterSource[] => {
    if (name.endsWith('.position_ids')) return []; // a buffer of old transformers versions
    if (dtype !== 'F16' && dtype !== 'F32')
      throw new AppError('bad-file', {
        file: path,
        reason: `${name} is ${dtype}; float16 and float32 are read`,
      });
    return [{ name: parameterName(component, name), type: types[dtype], shape, read }];
  });
}

/** What diffusers called the matrices of the autoencoder's attention until 0.16, and what it calls them now. */
const formerNames = [
  [/(\.attentions\.0)\.query\./, '$1.to_q.'],
  [/(\.attentions\.0)\.key\./, '$1.to_k.'],
  [/(\.attentions\.0)\.value\./, '$1.to_v.'],
  [/(\.attentions\.0)\.proj_attn\./, '$1.to_out.0.'],
] as const;

/** A weight's name in the graphs. Text encoders of hub files carry "text_model."; transformers 5 saves them without. */
function parameterName(component: Component, name: string): string {
  if (component === 'text_encoder' && !name.startsWith('text_model.'))
    return `${component}.text_model.${name}`;
  if (component !== 'vae') return `${component}.${name}`;
  return `${component}.${formerNames.reduce((newer, [former, now]) => newer.replace(former, now), name)}`;
}

/** Fails when a weight that the graphs need is missing or of another shape; answers the layers that can be adapted. */
function checkWeights(model: Omit<BaseModel, 'layers'>): readonly AdaptableLayer[] {
  const { unet, text, vae, sources } = model;
  const side = 2 ** (unet.block_out_channels.length - 1); // the smallest picture that passes all levels
  const latents: LatentShape = [1, unet.in_channels, side, side];
  const pixels = side * model.pixelsPerLatent;
  const layers: AdaptableLayer[] = [];
  const rankOf = (module: string, kind: LayerKind, weight: readonly number[]) => {
    layers.push({ module, kind, weight });
    return 0;
  };
  const graphs = [
    denoiseGraph(unet, {
      shape: latents,
      contextLength: text.max_position_embeddings,
      guided: false,
      rescaled: false,
      rankOf,
    }).graph,
    textGraph(text, 1, { rankOf }).graph,
    decodeGraph(vae, latents),
    encodeGraph(vae, [1, 3, pixels, pixels]),
  ];
  const found = new Map(
    Object.values(sources).flatMap((list) => list.map((source) => [source.name, source])),
  );
  for (const graph of graphs)
    for (const parameter of graph.parameters) checkParameter(parameter, found.get(parameter.name));
  return layers;
}

function checkParameter({ name, shape }: Value, source: ParameterSource | undefined): void {
  if (!source) throw new AppError('bad-file', { file: name.split('.')[0]!, reason: `${name} is missing` });
  if (source.shape.join() !== shape.join())
    throw new AppError('bad-file', {
      file: name.split('.')[0]!,
      reason: `${name} is [${source.shape.join()}], the config says [${shape.join()}]`,
    });
}
