// How to draw with a model of the hub when nothing was chosen yet: by its scheduler config, and for models that were distilled to few
// steps, by what their makers advise. Model cards are prose, so those few are named here.
import { z } from 'zod';
import type { SamplerName } from '../diffusion/samplers/samplers';
import type { ModelManifest } from '../storage/model-manifest';

type Sampling = ModelManifest['sampling'];

const usual: Sampling = { sampler: 'ddim', steps: 30, guidance: 7.5, guidanceRescale: 0 };

/** Models that need few steps and little or no guidance. */
const distilled: Readonly<Record<string, Partial<Sampling> & { readonly sampler: SamplerName }>> = {
  'stabilityai/sd-turbo': { sampler: 'euler', steps: 1, guidance: 1 },
  'SimianLuo/LCM_Dreamshaper_v7': { sampler: 'lcm', steps: 8, guidance: 1 },
};

const schedulers: Readonly<Record<string, SamplerName>> = {
  DDPMScheduler: 'ddpm',
  EulerDiscreteScheduler: 'euler',
  EulerAncestralDiscreteScheduler: 'euler-ancestral',
  HeunDiscreteScheduler: 'heun',
  DPMSolverMultistepScheduler: 'dpmpp-2m',
  UniPCMultistepScheduler: 'unipc',
  PNDMScheduler: 'pndm',
  LCMScheduler: 'lcm',
  TCDScheduler: 'tcd',
};

const schema = z.object({ _class_name: z.string(), rescale_betas_zero_snr: z.boolean().default(false) });

/** The advice for the model `id` with this scheduler_config.json. */
export function adviseSampling(id: string, schedulerConfig: string): Sampling {
  const config = schema.safeParse(JSON.parse(schedulerConfig)).data;
  return {
    ...usual,
    sampler: schedulers[config?._class_name ?? ''] ?? usual.sampler,
    // Lin et al. 2023, section 3.4: a schedule that ends in pure noise overexposes without it.
    guidanceRescale: config?.rescale_betas_zero_snr === true ? 0.7 : 0,
    ...distilled[id],
  };
}
