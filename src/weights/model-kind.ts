// Says what a file of weights is when it is not a Stable Diffusion 1.x or 2.x in one file, from the names and shapes of its tensors.
import { AppError, type ErrorCode } from '../base/errors';
import type { StoredTensor } from './stored-tensor';

type Refusal = readonly [
  pattern: RegExp,
  code: Extract<ErrorCode, 'bad-file' | 'unsupported-model'>,
  what: string,
];

const others: readonly Refusal[] = [
  [/lora|^(unet|text_encoder):\d+:/, 'bad-file', 'a LoRA, not a whole model: import it as a subject'],
  [
    /^(control_model\.|controlnet_cond_embedding\.)/,
    'bad-file',
    'a ControlNet, not a model that draws by itself',
  ],
  [/(^|\.)motion_modules?\./, 'bad-file', 'a motion module, not a model that draws by itself'],
  [
    /^(string_to_param|emb_params|emp_params|clip_[lg])$/,
    'bad-file',
    'a textual inversion embedding, not a model',
  ],
  [/(^|\.)joint_blocks\./, 'unsupported-model', 'Stable Diffusion 3'],
  [
    /(^|\.)(double_blocks|single_blocks|single_transformer_blocks)\./,
    'unsupported-model',
    'Flux, or a transformer like it',
  ],
  [
    /^(model\.diffusion_model\.)?(transformer_blocks|x_embedder|blocks\.0|layers\.0)\b/,
    'unsupported-model',
    'a diffusion transformer',
  ],
  [/^conditioner\.embedders\.1\./, 'unsupported-model', 'Stable Diffusion XL'],
];

/** Components of a diffusers folder, which say nothing without the others. */
const alone: readonly Refusal[] = [
  [
    /^(conv_in|time_embedding\.linear_1)\.weight$/,
    'bad-file',
    'the UNet of a model alone: choose the whole folder',
  ],
  [
    /^(encoder|decoder)\.(conv_in|layers\.0)\.weight$/,
    'bad-file',
    'the image autoencoder of a model alone: choose the whole model',
  ],
  [
    /^(text_model\.)?embeddings\.token_embedding\.weight$/,
    'bad-file',
    'the text encoder of a model alone: choose the whole folder',
  ],
];

/** What the UNet takes besides the noisy latents, by the channels of its input. */
const inputs: Readonly<Record<number, string>> = {
  5: 'a model that draws from a depth map',
  7: 'an upscaler',
  8: 'a model that edits pictures (InstructPix2Pix)',
  9: 'an inpainting model',
};

const widths: Readonly<Record<number, string>> = {
  1280: 'an older latent diffusion model, or the refiner of Stable Diffusion XL',
  2048: 'Stable Diffusion XL',
};

const firstConvolution = 'model.diffusion_model.input_blocks.0.0.weight';
const anyTextKey =
  /^model\.diffusion_model\.input_blocks\.\d+\.1\.transformer_blocks\.0\.attn2\.to_k\.weight$/;

/**
 * The width of the text states that the UNet of this single file takes: what tells the families apart (768 in Stable Diffusion 1.x,
 * 1024 in 2.x). Throws AppError with { file, reason } for what is no such model: 'unsupported-model' for another model, by its name,
 * 'bad-file' for what is none.
 */
export function textWidthOf(
  tensors: ReadonlyMap<string, Pick<StoredTensor, 'shape'>>,
  fileName: string,
  knownWidths: readonly number[],
): number {
  const names = [...tensors.keys()];
  const refuse = (code: Refusal[1], what: string): never => {
    const only = code === 'unsupported-model' ? '; Stable Diffusion 1.x and 2.x are read' : '';
    throw new AppError(code, { file: fileName, reason: `it is ${what}${only}` });
  };
  const convolution = tensors.get(firstConvolution);
  for (const [pattern, code, what] of convolution ? others : [...others, ...alone])
    if (names.some((name) => pattern.test(name))) return refuse(code, what);
  if (!convolution)
    return refuse(
      'bad-file',
      names.length === 0 ? 'without any weights' : 'no Stable Diffusion model: there is no UNet in it',
    );

  const key = names.find((name) => anyTextKey.test(name));
  const width = tensors.get(key ?? '')?.shape[1] ?? 0;
  const channels = convolution.shape[1] ?? 0;
  if (!knownWidths.includes(width))
    return refuse('unsupported-model', widths[width] ?? `a model whose text is ${width} numbers wide`);
  if (channels !== 4)
    return refuse('unsupported-model', inputs[channels] ?? `a model that takes ${channels} channels`);
  if (names.some((name) => name.startsWith('model.diffusion_model.label_emb.')))
    return refuse('unsupported-model', 'a model that draws variations of a picture (unCLIP)');
  return width;
}
