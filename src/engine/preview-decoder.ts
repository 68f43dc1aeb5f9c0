// TAESD (madebyollin/taesd): a decoder of Stable Diffusion's latents that is hundreds of times cheaper than AutoencoderKL and nearly as
// good to look at. It lies in storage like a model of the hub, once a person has fetched it, and serves live previews alone.
import { isAppError, AppError } from '../base/errors';
import { pixelsPerLatent } from '../models/parameters';
import { decodeGraph, encodeGraph, type AutoencoderConfig } from '../models/stable-diffusion';
import { parseAutoencoderTinyConfig } from '../models/vae/tiny';
import { peakBytes } from '../onnx/liveness';
import type { ParameterSource } from '../runtime/runtime';
import { previewDecoderId } from '../storage/hub/preview-decoder-id';
import { storedModelFile, type ModelFileOptions } from '../storage/model-files';
import { loadModel } from '../storage/models';
import { openWeightsFile } from '../weights/weights-file';
import type { BaseModel, OpenFile } from './base-model';
import { locateWeights, readJson } from './model-parts';
import { Pipeline } from './pipeline';
import { weightBytes } from './sampling-memory';

export const previewDecoderFiles = ['config.json', 'diffusion_pytorch_model.safetensors'] as const;

export type PreviewDecoder = {
  readonly vae: AutoencoderConfig;
  readonly sources: readonly ParameterSource[];
};

/** Whether TAESD knows this model's latents: those of Stable Diffusion 1.x and 2.x, 8 pixels a side. */
export const takesPreviewDecoder = ({ vae, pixelsPerLatent: side }: BaseModel): boolean =>
  vae.kind === 'AutoencoderKL' && vae.config.latent_channels === 4 && side === 8;

/** Opens it from its two files: the config is parsed, and every weight is there in its shape. Throws AppError('bad-file' | 'unsupported-model'). */
export async function openPreviewDecoder(open: OpenFile): Promise<PreviewDecoder> {
  const [configPath, weightsPath] = previewDecoderFiles;
  const config = parseAutoencoderTinyConfig(await readJson(await open(configPath), configPath));
  const vae = { kind: 'AutoencoderTiny', config } as const;
  const side = pixelsPerLatent(vae);
  if (config.latent_channels !== 4 || side !== 8)
    throw new AppError('unsupported-model', { reason: 'it decodes other latents than Stable Diffusion’s' });
  const { tensors } = await openWeightsFile(await open(weightsPath), weightsPath);
  const { parameters } = decodeGraph(vae, [1, 4, 8, 8]);
  const sources = locateWeights(
    [...parameters, ...encodeGraph(vae, [1, 3, 64, 64]).parameters],
    ({ name, shape }) => {
      const path = name.slice('vae.'.length);
      const place = { file: weightsPath, listedIn: weightsPath, name: path };
      return { ...place, shape, tensor: tensors.get(path), part: (tensor) => tensor };
    },
  );
  const decoding = new Set(parameters.map(({ name }) => name));
  return { vae, sources: sources.filter(({ name }) => decoding.has(name)) };
}

/** The one in storage; undefined where there is none, or none that can be read. */
export async function storedPreviewDecoder(
  root?: ModelFileOptions['root'],
): Promise<PreviewDecoder | undefined> {
  try {
    const record = await loadModel(previewDecoderId);
    return (
      record &&
      (await openPreviewDecoder(async (path) => {
        const file = record.manifest.files.find((listed) => listed.path === path);
        const blob = file && (await storedModelFile(file, root));
        if (!blob) throw new AppError('file-missing', { file: path });
        return blob;
      }))
    );
  } catch (error) {
    if (isAppError(error)) return undefined; // a picture is drawn all the same; previews are then rough
    throw error;
  }
}

/** What decoding previews of this size takes beside the drawing, in bytes. */
export function previewDecoderBytes(
  pipeline: Pipeline,
  preview: PreviewDecoder,
  [height, width]: readonly [number, number],
): number {
  const { runtime, graphOptions } = pipeline;
  const copies = runtime.backend === 'webgpu' ? 1 : 2; // ours and the session's
  const decoder = decodeGraph(preview.vae, [1, 4, height, width], graphOptions);
  const weights = weightBytes(previewPipeline(pipeline, preview), ['vae']);
  return copies * weights + peakBytes(decoder, runtime.dispatchesHeld);
}

/** A pipeline that decodes as `pipeline` does, but with the preview decoder. */
export const previewPipeline = ({ runtime, model }: Pipeline, { vae, sources }: PreviewDecoder): Pipeline =>
  new Pipeline(runtime, { ...model, vae, sources: { unet: [], text_encoder: [], vae: sources } });
