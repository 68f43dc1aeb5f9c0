// Draws latents without showing the way there: class pictures and previews, with the model's own sampler and guidance.
import { sample } from '../diffusion/sample';
import { planSampling } from '../diffusion/samplers/samplers';
import type { LatentShape } from '../models/stable-diffusion';
import type { DeviceTensor } from '../runtime/runtime';
import { openDenoiser, type DeviceAdapters } from './denoiser';
import type { Pipeline } from './pipeline';
import { encodePrompt } from './prompts';

export type DrawRequest = {
  readonly shape: LatentShape;
  readonly prompt: string;
  readonly steps: number;
  readonly seeds: readonly number[]; // one a picture of the batch
  readonly adapters?: DeviceAdapters;
};

/** The final latents, which become the caller's. Aborts between steps. */
export async function drawLatents(
  pipeline: Pipeline,
  request: DrawRequest,
  signal: AbortSignal,
): Promise<DeviceTensor> {
  const { shape, prompt, steps, seeds, adapters } = request;
  const { schedule, sampler, manifest } = pipeline.model;
  const { guidance, guidanceRescale } = manifest.sampling;
  const denoiser = await openDenoiser(pipeline, {
    shape,
    conditional: await encodePrompt(pipeline, prompt, adapters?.text),
    unconditional: await encodePrompt(pipeline, '', adapters?.text),
    guidance,
    rescale: guidanceRescale,
    adapter: adapters?.unet,
    seeds,
  });
  const noise = denoiser.initial();
  try {
    const job = sample(planSampling(schedule, sampler, steps), denoiser, { noise }, signal);
    for (;;) {
      const next = await job.next();
      if (next.done) return next.value;
    }
  } finally {
    noise.dispose();
    denoiser.close();
  }
}
