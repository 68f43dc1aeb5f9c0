// A model in the layout of diffusers: one folder for each component, with its config.json and its weights.
import { z } from 'zod';
import { AppError } from '../base/errors';
import { parseSchedule } from '../diffusion/schedule';
import { parseClipTextConfig } from '../models/clip/config';
import type { ModelConfigs } from '../models/parameters';
import type { AutoencoderConfig } from '../models/stable-diffusion';
import { parseUnetConfig } from '../models/unet/config';
import { parseAutoencoderKlConfig } from '../models/vae/kl';
import { parseAutoencoderTinyConfig } from '../models/vae/tiny';
import type { StoredTensor } from '../weights/stored-tensor';
import { chooseWeights, plainWeights, withoutVariant } from '../weights/weight-files';
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
      const { listedIn, tensors } = weights[component];
      const { file = listedIn, tensor } = tensors.get(path) ?? {};
      return { file, listedIn, name: path, shape, tensor, part: (tensor) => ({ ...tensor, shape }) };
    }),
  };
}

/** The folder may have been dropped by a person, so nothing is said of servers. */
const missing = (file: string): AppError =>
  new AppError('bad-file', { file, reason: 'it is missing in the folder of the model' });

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

/** The weights of a component by the names that they have in the graphs, each with the file that it lies in. */
type OpenComponent = {
  readonly listedIn: string; // the index, or the only file
  readonly tensors: ReadonlyMap<string, { readonly file: string; readonly tensor: StoredTensor }>;
};

async function openComponent(files: ModelFiles, component: Component): Promise<OpenComponent> {
  const chosen = chooseWeights(component, [...files.keys()]);
  if (chosen === undefined) throw missing(plainWeights(component));
  const opened = await Promise.all(chosen.files.map((file) => openWeightsFile(files.get(file)!, file)));
  if (chosen.index !== undefined)
    checkIndex(chosen.index, await readJson(files.get(chosen.index)!, chosen.index), opened);
  return {
    listedIn: chosen.index ?? chosen.files[0]!,
    tensors: new Map(
      opened.flatMap(({ name: file, tensors }) =>
        [...tensors].map(([name, tensor]) => [currentName(component, name), { file, tensor }] as const),
      ),
    ),
  };
}

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** Several files hold what their index says, no more and no less. Throws AppError('bad-file', { file, reason }). */
function checkIndex(path: string, json: unknown, files: readonly WeightsFile[]): void {
  const refuse = (reason: string) => new AppError('bad-file', { file: path, reason });
  const index = indexSchema.safeParse(json);
  if (!index.success) throw refuse('it does not say which file holds which weight');
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const places = new Map(
    Object.entries(index.data.weight_map).map(([name, file]) => [name, folder + withoutVariant(file)]),
  );
  const byPath = new Map(files.map((file) => [withoutVariant(file.name), file]));
  for (const [name, place] of places) {
    const file = byPath.get(place);
    if (!file) throw refuse(`it names ${place}, which is missing`);
    if (!file.tensors.has(name)) throw refuse(`"${name}" should lie in ${place} and does not`);
  }
  for (const [place, { tensors }] of byPath)
    for (const name of tensors.keys())
      if (places.get(name) !== place) throw refuse(`"${name}" lies in ${place}, which it does not say`);
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
