// What diffusers calls the pipelines that are not Stable Diffusion 1.x or 2.x, so that a refusal names the model.
import { AppError } from '../base/errors';

const foreign: readonly (readonly [RegExp, string])[] = [
  [/XL/, 'Stable Diffusion XL'],
  [/^StableDiffusion3/, 'Stable Diffusion 3'],
  [/^Flux2/, 'FLUX.2'],
  [/^Flux/, 'FLUX'],
  [/^PixArt/, 'PixArt'],
  [/^QwenImage/, 'Qwen-Image'],
  [/^ZImage/, 'Z-Image'],
  [/Inpaint/, 'an inpainting model'],
  [/^(AltDiffusion|Kandinsky|Wuerstchen|StableCascade|AuraFlow|Sana)/, 'another kind of model'],
];

/**
 * Looks at the content of model_index.json, given the paths beside it. A pipeline of one's own around the usual parts passes: these are
 * checked one by one. Throws AppError('unsupported-model', { file, reason }).
 */
export function checkPipeline(index: unknown, paths: readonly string[]): void {
  const name = (index as { readonly _class_name?: unknown } | null)?._class_name;
  if (typeof name !== 'string') return;
  const known = foreign.find(([pattern]) => pattern.test(name))?.[1];
  const what = known === undefined ? name : `${known} (${name})`;
  if (known === undefined && paths.includes('unet/config.json')) return;
  const reason = `it is ${what}; Stable Diffusion 1.x and 2.x are read`;
  throw new AppError('unsupported-model', { file: 'model_index.json', reason });
}
