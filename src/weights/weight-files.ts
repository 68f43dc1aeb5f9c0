// The names that files of weights have in a model in diffusers' layout: one file a component or several with an index, half precision or
// full, safetensors or pickle. As diffusers and transformers write them.

/** The weights of one component. */
export type WeightFiles = {
  /** Where they are several: the JSON file that says which of them holds which tensor. */
  readonly index: string | undefined;
  readonly files: readonly string[];
};

/** A folder of a model that holds weights. */
export type WeightsFolder = 'unet' | 'text_encoder' | 'vae';

/** The plain name of a component's weights, in one safetensors file. */
export const plainWeights = (folder: WeightsFolder): string =>
  `${folder}/${folder === 'text_encoder' ? 'model' : 'diffusion_pytorch_model'}.safetensors`;

/** Best first: nothing in it to run, then half the bytes. */
const forms = [
  ['safetensors', '.fp16'],
  ['safetensors', ''],
  ['bin', '.fp16'],
  ['bin', ''],
] as const;

/** The files of `folder` to take from `paths`; undefined where there are none. */
export function chooseWeights(folder: WeightsFolder, paths: readonly string[]): WeightFiles | undefined {
  const there = new Set(paths);
  for (const [end, variant] of forms) {
    const stem =
      end === 'bin' ? `${folder}/${pickleStem(folder)}` : plainWeights(folder).replace(/\.\w+$/, '');
    const single = `${stem}${variant}.${end}`;
    if (there.has(single)) return { index: undefined, files: [single] };
    const index = [`${stem}.${end}.index${variant}.json`, `${stem}${variant}.${end}.index.json`].find(
      (path) => there.has(path),
    );
    if (index !== undefined)
      return { index, files: paths.filter((path) => isShard(path, stem, variant, end)) };
  }
  return undefined;
}

const pickleStem = (folder: WeightsFolder): string =>
  folder === 'text_encoder' ? 'pytorch_model' : 'diffusion_pytorch_model';

/** "<stem>-00001-of-00002.<end>", the variant before or behind the numbers. */
function isShard(path: string, stem: string, variant: string, end: string): boolean {
  if (!path.startsWith(stem)) return false;
  const rest = path.slice(stem.length);
  const numbers = /^((?:\.\w+)?)-\d{5}-of-\d{5}((?:\.\w+)?)\.(\w+)$/.exec(rest);
  return numbers !== null && numbers[1]! + numbers[2]! === variant && numbers[3] === end;
}

/** The name without what says that it is half precision. */
export const withoutVariant = (path: string): string => path.replace('.fp16', '');
