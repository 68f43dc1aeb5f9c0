// What a base model is made of, the same wherever its files come from: parsed configs, and where each of its weights lies.
import { AppError } from '../base/errors';
import type { NoiseSchedule } from '../diffusion/schedule';
import { listParameters, type AdaptableLayer, type ModelConfigs } from '../models/parameters';
import type { Value } from '../onnx/graph';
import type { ParameterSource } from '../runtime/runtime';
import { countOf, readFloats, type StoredTensor } from '../weights/stored-tensor';

const components = ['unet', 'text_encoder', 'vae'] as const;
export type Component = (typeof components)[number];

/** The files of a model, or what a person dropped, by their paths. */
export type ModelFiles = ReadonlyMap<string, Blob>;

/** What the tokenizer is made of, still as text. */
export type TokenizerParts = {
  readonly vocab: Blob | undefined; // vocab.json; a single file brings none
  readonly merges: Blob | undefined; // merges.txt
  readonly specialTokensMap: unknown;
  readonly tokenizerConfig: unknown;
};

export type ModelParts = {
  readonly configs: ModelConfigs;
  readonly schedule: NoiseSchedule;
  readonly tokenizer: TokenizerParts;
  readonly sources: Readonly<Record<Component, readonly ParameterSource[]>>;
  /** Every layer that an adapter can stand on. */
  readonly layers: readonly AdaptableLayer[];
};

/** A tensor and where it was looked for, for the words of an error. */
export type Found = {
  readonly file: string;
  readonly listedIn: string; // the file itself, or the index of several
  readonly name: string; // in the file
  readonly shape: readonly number[]; // that it must have there
  readonly tensor: StoredTensor | undefined; // as it is there
  /** The part of it that is the weight, where that is not all of it. */
  readonly part: (tensor: StoredTensor) => StoredTensor;
};

/**
 * Finds every weight that these configs need. Throws AppError('bad-file', { file, reason }) where weights are missing (naming them),
 * have other shapes than the configs say, or are no floats.
 */
export function findWeights(
  configs: ModelConfigs,
  find: (parameter: Value) => Found,
): Pick<ModelParts, 'sources' | 'layers'> {
  const { parameters, layers } = listParameters(configs);
  const sources: Record<Component, ParameterSource[]> = { unet: [], text_encoder: [], vae: [] };
  for (const source of locateWeights(parameters, find))
    sources[components.find((start) => source.name.startsWith(`${start}.`))!].push(source);
  return { sources, layers };
}

/** Where these weights lie. Throws as `findWeights` does. */
export function locateWeights(
  parameters: readonly Value[],
  find: (parameter: Value) => Found,
): readonly ParameterSource[] {
  const found = parameters.map((parameter) => ({ parameter, ...find(parameter) }));
  for (const { file, name, tensor } of found) if (tensor) checkType(tensor, file, name); // first: a file of whole numbers lacks names too
  const missing = found.find(({ tensor }) => tensor === undefined);
  if (missing) throw lacking(found.filter(({ listedIn }) => listedIn === missing.listedIn));
  return found.map(({ parameter, file, name, shape, tensor, part }) => {
    if (!isSameShape(tensor!.shape, shape)) {
      const reason = `"${name}" is [${tensor!.shape.join()}], this kind of model has [${shape.join()}]`;
      throw new AppError('bad-file', { file, reason });
    }
    return sourceOf(parameter, part(tensor!), file, name);
  });
}

function checkType({ dtype }: StoredTensor, file: string, name: string): void {
  if (['F16', 'F32', 'BF16', 'F64'].includes(dtype)) return;
  const reason = `"${name}" holds ${dtype} numbers, which this page cannot use as weights`;
  throw new AppError('bad-file', { file, reason });
}

/** What is missing of the weights that one file, or several with an index, should have. */
function lacking(wanted: readonly Found[]): AppError {
  const missing = wanted.filter(({ tensor }) => tensor === undefined);
  const names = [...new Set(missing.map(({ name }) => `"${name}"`))];
  const shown =
    names.length <= 4 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
  const reason = `of its ${wanted.length} weights these are missing: ${shown}`;
  return new AppError('bad-file', { file: wanted[0]!.listedIn, reason });
}

/** Equal but for axes of 1 at the end: a 1×1 convolution is a matrix too, and both are written. */
function isSameShape(a: readonly number[], b: readonly number[]): boolean {
  const trimmed = (shape: readonly number[]) => shape.slice(0, shape.findLastIndex((n) => n !== 1) + 1);
  return trimmed(a).join() === trimmed(b).join();
}

/** Half precision stays as it is, everything else is read as float32. Reading throws for numbers that are not finite. */
function sourceOf(
  { name, shape }: Value,
  tensor: StoredTensor,
  file: string,
  nameInFile: string,
): ParameterSource {
  const { dtype } = tensor;
  const read = async (begin = 0, end = countOf(shape) * (dtype === 'F16' ? 2 : 4)) => {
    const bytes =
      dtype === 'F16' || dtype === 'F32'
        ? await tensor.read(begin, end)
        : new Uint8Array((await readFloats(tensor, nameInFile, file, begin / 4, end / 4)).buffer);
    if (!isFinite(bytes, dtype === 'F16'))
      throw new AppError('bad-file', { file, reason: `"${nameInFile}" holds numbers that are not finite` });
    return bytes;
  };
  return { name, type: dtype === 'F16' ? 'float16' : 'float32', shape, read };
}

/** Neither NaN nor infinity: both have all bits of the exponent set. */
function isFinite(bytes: Uint8Array<ArrayBuffer>, isHalf: boolean): boolean {
  const numbers = isHalf ? new Uint16Array(bytes.buffer) : new Uint32Array(bytes.buffer);
  const exponent = isHalf ? 0x7c00 : 0x7f800000;
  for (let i = 0; i < numbers.length; i++) if ((numbers[i]! & exponent) === exponent) return false;
  return true;
}

/** The content of a small JSON file. Throws AppError('bad-file'). */
export async function readJson(file: Blob, path: string): Promise<unknown> {
  try {
    return JSON.parse(await file.text());
  } catch (error) {
    throw new AppError('bad-file', { file: path, reason: 'it is not JSON' }, error);
  }
}
