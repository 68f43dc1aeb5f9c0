// The preview of a running training: the same prompt and seed each time, with the weights as they are on the device.
import type { LatentShape } from '../models/stable-diffusion';
import type { Run } from '../storage/runs';
import type { TrainingSettings } from '../training/settings';
import type { DeviceAdapters } from './denoiser';
import { drawLatents } from './draw';
import type { EncodePng } from './encode-png';
import { decodeLatents } from './pictures';
import type { Pipeline } from './pipeline';

/** Fewer steps than a picture of one's own: a preview must not hold up the training. */
const previewSteps = 12;

/** Draws the preview prompt (or, where none is set, the first photo's caption) as a PNG. */
export async function drawPreview(
  pipeline: Pipeline,
  run: Run,
  settings: TrainingSettings,
  adapters: DeviceAdapters,
  encode: EncodePng,
): Promise<Blob> {
  const { model } = pipeline;
  const side = model.manifest.resolution / model.pixelsPerLatent;
  const shape: LatentShape = [1, model.unet.in_channels, side, side];
  const prompt = settings.previewPrompt || (run.photos[0]?.caption ?? '');
  const request = { shape, prompt, steps: previewSteps, seeds: [settings.seed], adapters };
  const latents = await drawLatents(pipeline, request, new AbortController().signal);
  const { rgba, width, height } = await decodeLatents(pipeline, latents);
  latents.dispose();
  return encode(rgba, width, height);
}
