// Which of the files in a repository or a folder make a model in diffusers' layout: configs, tokenizer and the weights, in the best of the
// forms that are there. Everything else (ONNX, safety checker, single-file checkpoints) stays where it is.
import { AppError } from '../base/errors';
import { chooseWeights, plainWeights, withoutVariant } from '../weights/weight-files';

/** A chosen file, and the name that it has in a model: where half precision is a file of its own, its ".fp16" is left out. */
export type Chosen<File> = File & { readonly name: string };

const required = [
  'scheduler/scheduler_config.json',
  'text_encoder/config.json',
  'tokenizer/vocab.json',
  'tokenizer/merges.txt',
  'unet/config.json',
  'vae/config.json',
];
const optional = ['model_index.json', 'tokenizer/special_tokens_map.json', 'tokenizer/tokenizer_config.json'];

/** The files of a model, weights last. Throws AppError('unsupported-model', { reason }) where there is no such model. */
export function chooseFiles<File extends { readonly path: string }>(
  files: readonly File[],
): readonly Chosen<File>[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  if (!byPath.has('model_index.json') && !byPath.has('unet/config.json')) throw refuse(describeOther(files));
  const missing = required.find((path) => !byPath.has(path));
  if (missing !== undefined) throw refuse(`there is no ${missing}`);
  const weights = (['unet', 'text_encoder', 'vae'] as const).flatMap((folder) => {
    const chosen = chooseWeights(folder, [...byPath.keys()]);
    if (!chosen) throw refuse(`there is no ${plainWeights(folder)}`);
    return [...(chosen.index === undefined ? [] : [chosen.index]), ...chosen.files];
  });
  return [...required, ...optional, ...weights].flatMap((path): Chosen<File>[] => {
    const file = byPath.get(path);
    return file ? [{ ...file, name: withoutVariant(path) }] : [];
  });
}

/** What files without a diffusers model among them seem to be. */
function describeOther(files: readonly { readonly path: string }[]): string {
  const has = (pattern: RegExp) => files.some(({ path }) => pattern.test(path));
  if (has(/^pytorch_lora_weights\./)) return 'it is a LoRA, not a base model';
  if (has(/^[^/]+\.(safetensors|ckpt)$/)) {
    return 'there are no diffusers folders, only single files; a file like that can be dropped on the page';
  }
  return 'there is no model_index.json, so it is no diffusers model';
}

const refuse = (reason: string) => new AppError('unsupported-model', { reason });
