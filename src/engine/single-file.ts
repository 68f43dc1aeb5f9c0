// A Stable Diffusion 1.x or 2.x in one file (.safetensors, .ckpt), with the names of the original code: which of them it is, and where its weights lie.
import { assertExists } from '../base/assert';
import { parseSchedule, type PredictionType } from '../diffusion/schedule';
import { parseClipTextConfig } from '../models/clip/config';
import type { ModelConfigs } from '../models/parameters';
import type { Preset } from '../models/presets/preset';
import { stableDiffusion1, stableDiffusion2, stableDiffusion2Base } from '../models/presets/stable-diffusion';
import { perBlock, parseUnetConfig } from '../models/unet/config';
import { parseAutoencoderKlConfig } from '../models/vae/kl';
import type { Value } from '../onnx/graph';
import { ldmPlace, type LdmLayout } from '../weights/ldm-names';
import { textWidthOf } from '../weights/model-kind';
import { countOf, readFloats, viewOf, type StoredTensor } from '../weights/stored-tensor';
import { openWeightsFile, type WeightsFile } from '../weights/weights-file';
import { findWeights, type Found, type ModelFiles, type ModelParts } from './model-parts';

/** What a single file can be; where two have the same shapes, the kind of their prediction decides. */
const knownPresets: readonly Preset[] = [stableDiffusion1, stableDiffusion2Base, stableDiffusion2];

export type SingleFile = ModelParts & { readonly preset: Preset };

/**
 * The model in the file `path`; a vocabulary is taken from tokenizer/ where the files have one. Throws AppError('bad-file') for a
 * damaged file and AppError('unsupported-model') for another model, by its name.
 */
export async function openSingleFile(
  files: ModelFiles,
  path: string,
  presets: readonly Preset[] = knownPresets,
): Promise<SingleFile> {
  const file = await openWeightsFile(assertExists(files.get(path), path), path);
  const tensors = renamed(file.tensors);
  const configsOf = (preset: Preset): ModelConfigs => ({
    unet: parseUnetConfig(preset.unet),
    text: parseClipTextConfig(preset.textEncoder),
    vae: { kind: 'AutoencoderKL', config: parseAutoencoderKlConfig(preset.vae) },
  });
  const widthOf = (preset: Preset) => configsOf(preset).unet.cross_attention_dim;
  const width = textWidthOf(tensors, path, presets.map(widthOf));
  const family = presets.filter((preset) => widthOf(preset) === width);
  const scheduler = await schedulerOf(file, tensors, family);
  const preset =
    family.find((one) => one.scheduler.prediction_type === scheduler.prediction_type) ?? family[0]!;
  const configs = configsOf(preset);
  const layout = layoutOf(configs);
  return {
    preset,
    configs,
    schedule: parseSchedule({ ...preset.scheduler, ...scheduler }),
    tokenizer: {
      vocab: files.get('tokenizer/vocab.json'),
      merges: files.get('tokenizer/merges.txt'),
      specialTokensMap: preset.specialTokens,
      tokenizerConfig: {},
    },
    ...findWeights(configs, (parameter) => findInFile(parameter, tensors, layout, path)),
  };
}

/** Two other ways to write the text encoder's names: without text_model. (old conversions), and as Stable Diffusion XL's code does. */
function renamed(tensors: ReadonlyMap<string, StoredTensor>): ReadonlyMap<string, StoredTensor> {
  const rename = (name: string) =>
    name
      .replace(
        /^cond_stage_model\.transformer\.(?=embeddings\.|encoder\.|final_layer_norm\.)/,
        '$&text_model.',
      )
      .replace(/^conditioner\.embedders\.0\.(?=model\.|transformer\.)/, 'cond_stage_model.');
  return new Map([...tensors].map(([name, tensor]) => [rename(name), tensor]));
}

function layoutOf({ unet, text, vae }: ModelConfigs): LdmLayout {
  return {
    layersPerBlock: perBlock(unet.layers_per_block, 0),
    upBlockAttends: unet.up_block_types.map((type) => type === 'CrossAttnUpBlock2D'),
    vaeLevels: vae.kind === 'AutoencoderKL' ? vae.config.block_out_channels.length : 0,
    textEncoder: text.hidden_act === 'gelu' ? 'open-clip' : 'clip', // OpenAI's CLIP is the one with the quick GELU
  };
}

function findInFile(
  { name, shape }: Value,
  tensors: ReadonlyMap<string, StoredTensor>,
  layout: LdmLayout,
  file: string,
): Found {
  const place = ldmPlace(name, shape, layout);
  const rowSize = countOf(shape.slice(1));
  return {
    file,
    listedIn: file,
    name: place.name,
    shape: place.shape,
    tensor: tensors.get(place.name),
    part: (tensor) => viewOf(tensor, place.firstRow * rowSize, shape),
  };
}

type Scheduler = { readonly prediction_type: PredictionType; readonly rescale_betas_zero_snr?: boolean };

/** What the model predicts: as the file says, else as its weights look. */
async function schedulerOf(
  { metadata, globalStep, name: file }: WeightsFile,
  tensors: ReadonlyMap<string, StoredTensor>,
  family: readonly Preset[],
): Promise<Scheduler> {
  const said = metadata['modelspec.prediction_type']; // Stability AI's model metadata standard
  if (said === 'epsilon' || said === 'v')
    return { prediction_type: said === 'v' ? 'v_prediction' : 'epsilon' };
  if (tensors.has('v_pred'))
    return { prediction_type: 'v_prediction', rescale_betas_zero_snr: tensors.has('ztsnr') };
  if (family.length === 1 || globalStep === 875000) return { prediction_type: 'epsilon' }; // that step is Stable Diffusion 2.0 base
  // The measure that ComfyUI takes (comfy/supported_models.py, SD20): no number in the file says it.
  const name = 'model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias';
  const bias = tensors.get(name);
  if (!bias) return { prediction_type: 'epsilon' }; // told as missing in a moment
  const values = await readFloats(bias, name, file);
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  return { prediction_type: Math.sqrt(variance) > 0.09 ? 'v_prediction' : 'epsilon' };
}
