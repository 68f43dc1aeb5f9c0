// A model in the layout of diffusers: one folder for each component, with its config.json and its weights.
import { AppError } from '../base/errors';
import { parseSchedule } from '../diffusion/schedule';
import { parseClipTextConfig } from '../models/clip/config';
import type { ModelConfigs } from '../models/parameters';
import type { AutoencoderConfig } from '../models/stable-diffusion';
import { parseUnetConfig } from '../models/unet/config';
import { parseAutoencoderKlConfig } from '../models/vae/kl';
import { parseAutoencoderTinyConfig } from '../models/vae/tiny';
import type { StoredTensor } from '../weights/stored-tensor';
import { openWeightsFile, type WeightsFile } from '../weights/weights-file';
import { findWeights, readJson, type Component, type ModelFiles, type ModelParts } from './model-parts';

/** The model in these files, whose paths start at the folder of model_index.json. Throws AppError('bad-file' | 'unsupported-model'). */
export async function openModelFolder(files: ModelFiles): Promise<ModelParts> {
  const need = (path: string): Blob => {
    const file = files.get(path);
    if (!file) throw missing(path);
    return file;
  };
  const json = (path: string) => readJson(need(path), path);
  const jsonIfThere = async (path: string) => (files.has(path) ? json(path) : {});
  checkPipeline(await jsonIfThere('model_index.json'));

  const configs: ModelConfigs = {
    unet: parseUnetConfig(await json('unet/config.json')),
    text: parseClipTextConfig(await json('text_encoder/config.json')),
    vae: parseAutoencoder(await json('vae/config.json')),
  };
  checkParts(configs);
  const weights = {
    unet: await openComponent(files, 'unet'),
    text_encoder: await openComponent(files, 'text_encoder'),
    vae: await openComponent(files, 'vae'),
  };
  return {
    configs,
    schedule: parseSchedule(await json('scheduler/scheduler_config.json')),
    tokenizer: {
      vocab: need('tokenizer/vocab.json'),
      merges: need('tokenizer/merges.txt'),
      specialTokensMap: await jsonIfThere('tokenizer/special_tokens_map.json'), // CLIP's own tokens are the default
      tokenizerConfig: await jsonIfThere('tokenizer/tokenizer_config.json'),
    },
    ...findWeights(configs, ({ name, shape }) => {
      const [component, path] = [
        name.slice(0, name.indexOf('.')) as Component,
        name.slice(name.indexOf('.') + 1),
      ];
      const { file, tensors } = weights[component];
      return { file, name: path, shape, tensor: tensors.get(path), part: (tensor) => ({ ...tensor, shape }) };
    }),
  };
}

/** The folder may have been dropped by a person, so nothing is said of servers. */
const missing = (file: string): AppError =>
  new AppError('bad-file', { file, reason: 'it is missing in the folder of the model' });

const pipelines = new Set(['StableDiffusionPipeline', 'LatentConsistencyModelPipeline']);

/** What other pipelines are, in words. */
const otherPipelines: readonly (readonly [RegExp, string])[] = [
  [/XL/, 'Stable Diffusion XL'],
  [/^StableDiffusion3/, 'Stable Diffusion 3'],
  [/^Flux/, 'Flux'],
  [/Inpaint/, 'an inpainting model'],
  [
    /^(AltDiffusion|Kandinsky|PixArt|Wuerstchen|StableCascade|AuraFlow|Sana|QwenImage)/,
    'another kind of model',
  ],
];

function checkPipeline(index: unknown): void {
  const name = (index as { readonly _class_name?: unknown } | null)?._class_name;
  if (typeof name !== 'string' || pipelines.has(name)) return;
  const what = otherPipelines.find(([pattern]) => pattern.test(name))?.[1];
  if (what === undefined) return; // a pipeline of one's own around the usual parts: these are checked one by one
  const reason = `it is ${what} (${name}); Stable Diffusion 1.x and 2.x are read`;
  throw new AppError('unsupported-model', { file: 'model_index.json', reason });
}

/** What one part gives, another takes. */
function checkParts({ unet, text, vae }: ModelConfigs): void {
  const refuse = (reason: string): never => {
    throw new AppError('unsupported-model', { file: 'unet/config.json', reason });
  };
  const { in_channels: channels, out_channels: predicted, cross_attention_dim: width } = unet;
  if (channels !== vae.config.latent_channels) {
    const what = channels === 9 ? 'an inpainting model' : `a UNet of ${channels} channels`;
    refuse(`it is ${what}, where the autoencoder gives ${vae.config.latent_channels}`);
  }
  if (predicted !== channels) refuse(`it takes ${channels} channels and predicts ${predicted}`);
  if (width !== text.hidden_size)
    refuse(`it attends to ${width} numbers a word, where the text encoder gives ${text.hidden_size}`);
}

function parseAutoencoder(config: unknown): AutoencoderConfig {
  const kind = (config as { readonly _class_name?: unknown } | null)?._class_name;
  if (kind === 'AutoencoderTiny') return { kind, config: parseAutoencoderTinyConfig(config) };
  if (kind === 'AutoencoderKL') return { kind, config: parseAutoencoderKlConfig(config) };
  throw new AppError('unsupported-model', { reason: `autoencoder of the class ${String(kind)}` });
}

/** The names that weights files have, the ones to prefer first: half the bytes, and nothing to run. */
function weightsPaths(component: Component): readonly string[] {
  const isText = component === 'text_encoder';
  const [safe, pickled] = isText
    ? ['model', 'pytorch_model']
    : ['diffusion_pytorch_model', 'diffusion_pytorch_model'];
  const names = [`${safe}.fp16.safetensors`, `${safe}.safetensors`, `${pickled}.fp16.bin`, `${pickled}.bin`];
  return names.map((name) => `${component}/${name}`);
}

async function openComponent(
  files: ModelFiles,
  component: Component,
): Promise<Pick<WeightsFile, 'tensors'> & { readonly file: string }> {
  const paths = weightsPaths(component);
  const file = paths.find((path) => files.has(path));
  if (file === undefined) throw missing(paths[1]!);
  const { tensors } = await openWeightsFile(files.get(file)!, file);
  const renamed = [...tensors].map(([name, tensor]): [string, StoredTensor] => [
    currentName(component, name),
    tensor,
  ]);
  return { file, tensors: new Map(renamed) };
}

/** What diffusers called the matrices of the autoencoder's attention until 0.16, and what it calls them now. */
const formerNames = [
  [/(\.attentions\.0)\.query\./, '$1.to_q.'],
  [/(\.attentions\.0)\.key\./, '$1.to_k.'],
  [/(\.attentions\.0)\.value\./, '$1.to_v.'],
  [/(\.attentions\.0)\.proj_attn\./, '$1.to_out.0.'],
] as const;

/** A weight's name in the graphs. Text encoders of hub files carry "text_model."; transformers 5 saves them without. */
function currentName(component: Component, name: string): string {
  if (component === 'text_encoder') return name.startsWith('text_model.') ? name : `text_model.${name}`;
  return component === 'vae'
    ? formerNames.reduce((newer, [former, now]) => newer.replace(former, now), name)
    : name;
}
