// The picture that image-to-image and inpainting start from, made ready once for all pictures of a request: decoded, cut to size,
// encoded, and its mask shrunk, as diffusers' StableDiffusionImg2ImgPipeline and StableDiffusionInpaintPipeline (four channels) do it.
import { AppError } from '../base/errors';
import { shrinkMask } from '../diffusion/inpainting';
import type { Latents } from '../training/batch';
import { planarFromRgba } from '../training/images';
import type { SampleRequest } from './contract';
import type { DecodePicture } from './decode-photo';
import { encodePicture } from './pictures';
import type { Pipeline } from './pipeline';

export type OpenedStart = {
  readonly latents: Latents;
  readonly mask: Float32Array<ArrayBuffer> | undefined; // [h, w] of the latents, 1 where is drawn
  /** What the sampler is told: with a mask, 1 means pure noise and not a picture noised all the way. */
  readonly strength: number | undefined;
};

/** Throws AppError('bad-settings') for a strength outside of 0 to 1 and AppError('bad-image') for files that are no pictures. */
export async function openStart(
  pipeline: Pipeline,
  { start, width, height }: SampleRequest,
  decode: DecodePicture,
): Promise<OpenedStart | undefined> {
  if (!start) return undefined;
  const { picture, mask, strength } = start;
  if (!(strength > 0 && strength <= 1))
    throw new AppError('bad-settings', { setting: 'strength', reason: 'over 0, up to 1', value: strength });
  const pixels = planarFromRgba(await decode(picture, 'the start picture', width, height));
  const painted = mask && levelsOf(await decode(mask, 'the mask', width, height));
  return {
    latents: await encodePicture(pipeline, pixels, width, height),
    mask: painted && shrinkMask(painted, height, width, pipeline.model.pixelsPerLatent),
    strength: mask && strength === 1 ? undefined : strength,
  };
}

/** A mask is grey: its red is its level, 0 to 1. */
const levelsOf = (rgba: Uint8ClampedArray): Float32Array =>
  Float32Array.from({ length: rgba.length / 4 }, (_, i) => rgba[i * 4]! / 255);
