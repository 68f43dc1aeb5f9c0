// How to draw with a model of the hub when nothing was chosen yet: by its scheduler config, which tells most models that were distilled to
// few steps, and for the others of them by what their makers advise. Model cards are prose, so those few are named here.
import { z } from 'zod';
import type { SamplerName } from '../diffusion/samplers/samplers';
import type { ModelManifest } from '../storage/model-manifest';

type Sampling = ModelManifest['sampling'];

const usual: Sampling = { sampler: 'ddim', steps: 30, guidance: 7.5, guidanceRescale: 0 };

/** Distilled models whose scheduler is a usual one. */
const distilled: Readonly<Record<string, Partial<Sampling>>> = {
  'stabilityai/sd-turbo': { sampler: 'euler', steps: 1, guidance: 1 },
};

/** Schedulers of distilled models: few steps, and no guidance beside what was distilled. */
const fewSteps: Partial<Readonly<Record<SamplerName, Partial<Sampling>>>> = {
  lcm: { steps: 8, guidance: 1 },
  tcd: { steps: 4, guidance: 1 },
};

/** The scale that the makers of latent consistency models show theirs with, where the UNet takes it as an input (Luo et al. 2023). */
const embeddedGuidance = 8;

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

/** The advice for the model `id` with this scheduler_config.json, whose UNet takes the guidance scale as an input or not. */
export function adviseSampling(id: string, schedulerConfig: string, embedsGuidance = false): Sampling {
  const config = schema.safeParse(JSON.parse(schedulerConfig)).data;
  const sampler = schedulers[config?._class_name ?? ''] ?? 'ddim';
  return {
    ...usual,
    sampler,
    // Lin et al. 2023, section 3.4: a schedule that ends in pure noise overexposes without it.
    guidanceRescale: config?.rescale_betas_zero_snr === true ? 0.7 : 0,
    ...fewSteps[sampler],
    ...(embedsGuidance ? { guidance: embeddedGuidance } : {}),
    ...distilled[id],
  };
}
