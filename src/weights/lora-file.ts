// Reads a LoRA file of any format for the loaded base model, and refuses what is something else with a reason.
import { assert } from '../base/assert';
import { AppError } from '../base/errors';
import { parseDiffusersKey } from './lora-diffusers';
import { describeForeign } from './lora-foreign';
import { parseKohyaKey } from './lora-kohya';
import { flatPath, type LoraMatrix, type LoraModule, type LoraPart } from './lora-module';
import { parsePeftKey, peftAlpha } from './lora-peft';
import { openSafetensors } from './safetensors';
import { readFloats, type StoredTensor } from './stored-tensor';

export type { LoraModule };

type NamedTensor = { readonly name: string; readonly tensor: StoredTensor };
type ModuleTensors = Partial<Record<LoraPart, NamedTensor>>;

/**
 * The modules of a kohya, PEFT or diffusers LoRA file, named as in `moduleNames` (the paths of all linear and convolution
 * layers of the base, "unet.…" and "text_encoder.…"). Throws AppError('bad-file') for a damaged or foreign file and
 * AppError('wrong-model') for a LoRA of another base, both with { file, reason }.
 */
export async function readLora(
  blob: Blob,
  fileName: string,
  moduleNames: readonly string[],
): Promise<readonly LoraModule[]> {
  const { metadata, tensors } = await openSafetensors(blob, fileName);
  const names = [...tensors.keys()].filter((name) => !name.startsWith('bundle_emb.')); // OneTrainer's extra embeddings
  const foreign = describeForeign(names);
  if (foreign !== undefined) throw badFile(fileName, foreign);

  const byPath = new Map<string, ModuleTensors>();
  for (const name of names) {
    const key = parseKohyaKey(name) ?? parsePeftKey(name) ?? parseDiffusersKey(name);
    if (key === undefined)
      throw badFile(fileName, `it holds "${name}", which is no part of a LoRA that this page reads`);
    const path = flatPath(key.path);
    const found = byPath.get(path) ?? {};
    if (found[key.part]) throw badFile(fileName, `it holds "${name}" a second time under another name`);
    found[key.part] = { name, tensor: tensors.get(name)! };
    byPath.set(path, found);
  }

  const known = new Map(moduleNames.map((module) => [flatPath(module), module]));
  assert(known.size === moduleNames.length, 'two layers of the model have the same flat name');
  const unknown = [...byPath.keys()].filter((path) => !known.has(path));
  if (unknown.length > 0) {
    const reason = `it changes ${byPath.size} layers, and this model does not have ${unknown.length} of them, such as ${unknown[0]!}`;
    throw new AppError('wrong-model', { file: fileName, reason });
  }

  const modules: LoraModule[] = [];
  for (const [path, found] of byPath)
    modules.push(await readModule(known.get(path)!, found, metadata, fileName));
  return modules.sort((a, b) => (a.module < b.module ? -1 : 1));
}

async function readModule(
  module: string,
  { down, up, alpha }: ModuleTensors,
  metadata: Readonly<Record<string, string>>,
  fileName: string,
): Promise<LoraModule> {
  if (down === undefined || up === undefined) {
    throw badFile(fileName, `one of the two matrices of ${module} is missing`);
  }
  checkShapes(module, down.tensor.shape, up.tensor.shape, fileName);
  const rank = down.tensor.shape[0]!;
  const scale =
    alpha === undefined ? peftAlpha(metadata, module, rank) : (await readMatrix(alpha, fileName)).data[0];
  if (scale !== undefined && !Number.isFinite(scale))
    throw badFile(fileName, `the alpha of ${module} is not a number`);
  return {
    module,
    rank,
    alpha: scale ?? rank, // as every reader: without alpha the scale is 1
    down: await readMatrix(down, fileName),
    up: await readMatrix(up, fileName),
  };
}

async function readMatrix({ name, tensor }: NamedTensor, fileName: string): Promise<LoraMatrix> {
  return { shape: tensor.shape, data: await readFloats(tensor, name, fileName) };
}

function checkShapes(module: string, down: readonly number[], up: readonly number[], fileName: string): void {
  const isLinear = down.length === 2 && up.length === 2;
  const isConvolution = down.length === 4 && up.length === 4 && up[2] === 1 && up[3] === 1;
  if (!(isLinear || isConvolution) || down[0] !== up[1] || down.includes(0) || up.includes(0)) {
    throw badFile(
      fileName,
      `the shapes [${down.join(', ')}] and [${up.join(', ')}] of ${module} do not fit together`,
    );
  }
}

/**
 * Checks that every module fits the layer it changes: `weightShapes` holds [out, in] or [out, in, kh, kw] by module name.
 * A 1 × 1 convolution and a linear layer are the same. Throws AppError('wrong-model', { file, reason }).
 */
export function checkLoraFits(
  modules: readonly LoraModule[],
  weightShapes: ReadonlyMap<string, readonly number[]>,
  fileName: string,
): void {
  const kernel = (shape: readonly number[]) => `${shape[2] ?? 1} × ${shape[3] ?? 1}`;
  for (const { module, down, up } of modules) {
    const weight = weightShapes.get(module);
    assert(weight !== undefined, `no shape of ${module}`);
    if (weight[0] !== up.shape[0] || weight[1] !== down.shape[1] || kernel(weight) !== kernel(down.shape)) {
      const own = `${down.shape[1]} to ${up.shape[0]} (${kernel(down.shape)})`;
      const reason = `${module} goes from ${weight[1]} to ${weight[0]} (${kernel(weight)}), in the file from ${own}`;
      throw new AppError('wrong-model', { file: fileName, reason });
    }
  }
}

function badFile(file: string, reason: string): AppError {
  return new AppError('bad-file', { file, reason });
}
