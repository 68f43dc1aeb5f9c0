// Which files of a hub repository make a model in diffusers' layout: configs, tokenizer and, of the weights, one safetensors file a
// component, half precision before full. Everything else (pickles, ONNX, safety checker, single-file checkpoints) stays there.
import { AppError } from '../../base/errors';

/** A file of a repository at one commit. */
export type HubFile = {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string | undefined; // of large files (LFS and Xet); small ones are in git itself
  readonly gitId: string; // git's name of the blob: for small files the hash of the content
};

/** A chosen file, and the name that it has in a model: where half precision is a file of its own, its ".fp16" is left out. */
export type ChosenFile = HubFile & { readonly name: string };

const required = [
  'model_index.json',
  'scheduler/scheduler_config.json',
  'text_encoder/config.json',
  'tokenizer/vocab.json',
  'tokenizer/merges.txt',
  'unet/config.json',
  'vae/config.json',
];
const optional = ['tokenizer/special_tokens_map.json', 'tokenizer/tokenizer_config.json'];
const weights = [
  'unet/diffusion_pytorch_model',
  'text_encoder/model',
  'vae/diffusion_pytorch_model',
] as const;

/** The files of a model, weights last. Throws AppError('unsupported-model', { reason }) where the repository holds no such model. */
export function chooseFiles(files: readonly HubFile[]): readonly ChosenFile[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  if (!byPath.has('model_index.json')) throw refuse(describeOther(files));
  const missing = required.find((path) => !byPath.has(path));
  if (missing !== undefined) throw refuse(`the repository has no ${missing}`);
  const small = [...required, ...optional].flatMap((path): ChosenFile[] => {
    const file = byPath.get(path);
    return file ? [{ ...file, name: path }] : [];
  });
  return [...small, ...weights.map((stem) => chooseWeights(stem, byPath))];
}

function chooseWeights(stem: string, byPath: ReadonlyMap<string, HubFile>): ChosenFile {
  const file = byPath.get(`${stem}.fp16.safetensors`) ?? byPath.get(`${stem}.safetensors`);
  if (file) return { ...file, name: `${stem}.safetensors` };
  const [component] = stem.split('/');
  if ([...byPath.keys()].some((path) => path.startsWith(`${stem}.`) && path.endsWith('.index.json'))) {
    throw refuse(`${component} comes in several files, as in models larger than Stable Diffusion 2`);
  }
  if (byPath.has(`${stem}.bin`) || byPath.has(`${stem}.fp16.bin`)) {
    throw refuse(`${component} comes as a Python pickle (.bin) only; safetensors is needed`);
  }
  throw refuse(`the repository has no ${stem}.safetensors`);
}

/** What a repository without model_index.json seems to be. */
function describeOther(files: readonly HubFile[]): string {
  const has = (pattern: RegExp) => files.some(({ path }) => pattern.test(path));
  if (has(/^pytorch_lora_weights\./)) return 'the repository holds a LoRA, not a base model';
  if (has(/^[^/]+\.(safetensors|ckpt)$/)) {
    return 'the repository has no diffusers folders, only single files; a file like that can be dropped on the page';
  }
  return 'the repository has no model_index.json, so it is no diffusers model';
}

const refuse = (reason: string) => new AppError('unsupported-model', { reason });
