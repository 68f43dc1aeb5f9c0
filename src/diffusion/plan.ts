// What a sampler is: a function from a noise schedule to a plan. Every step is a linear combination, with scalar coefficients, of what the
// model was shown and what it answered, now and in earlier steps. So one plan runs on arrays of any kind. Coefficients are float64.
import type { NoiseMix, NoiseSchedule } from './schedule';

/** x · `x` + output · `output`, of one step's x and of the model's output for it. */
export type Linear = { readonly x: number; readonly output: number };

/** One model call: next = x · `x` + output · `output` + noise · `noise` + Σ `history[i]` of the step i + 1 calls ago. */
export type SamplingStep = Linear & {
  /** What the model is told; Euler's linspace has fractions. */
  readonly timestep: number;
  /** The model sees x · inputScale. */
  readonly inputScale: number;
  /** 0: no noise is drawn. */
  readonly noise: number;
  /** Coefficients of earlier steps, the newest first, for multistep samplers and those that call the model twice a step. */
  readonly history?: readonly Linear[];
  /** The prediction of x_0 from this step's x and output, for previews. */
  readonly denoised: Linear;
  /** A clean latent as noisy as this step's x should be: where image-to-image starts, and what inpainting keeps outside of its mask. */
  readonly noised: NoiseMix;
};

export type SamplingPlan = {
  /** The first x, from standard normal noise and, in image-to-image, a clean latent (x0 is 0 otherwise). */
  readonly start: NoiseMix;
  readonly steps: readonly SamplingStep[];
};

/** By the schedule's own timesteps, by Karras et al. 2022 (arXiv 2206.00364, eq. 5), or evenly in log σ. */
export type SigmaSpacing = 'schedule' | 'karras' | 'exponential';

export type SamplerOptions = {
  /** DDIM's share of fresh noise, 0 (deterministic, the default) to 1 (DDPM); TCD's γ, 0.3 by default. Other samplers ignore it. */
  readonly eta?: number;
  /** How sigmas are spaced; samplers without sigmas ignore it. */
  readonly sigmas?: SigmaSpacing;
  /** Image-to-image: the part of the steps that is taken, over 0 to 1, from the picture noised that far. Left out: all, from pure noise. */
  readonly strength?: number | undefined;
};

/** Makes a plan of `stepCount` steps; throws AppError('bad-settings') where the schedule has no such plan. */
export type Sampler = (schedule: NoiseSchedule, stepCount: number, options: SamplerOptions) => SamplingPlan;

/** Σ weight · combination. */
export function weigh(...terms: readonly (readonly [weight: number, combination: Linear])[]): Linear {
  return {
    x: terms.reduce((sum, [weight, { x }]) => sum + weight * x, 0),
    output: terms.reduce((sum, [weight, { output }]) => sum + weight * output, 0),
  };
}

/** The plan's start: the noised picture of its first step with a strength, else pure noise of the deviation `scale`. */
export function planFrom(
  steps: readonly SamplingStep[],
  { strength }: SamplerOptions,
  scale: number,
): SamplingPlan {
  return { start: strength === undefined ? { x0: 0, noise: scale } : steps[0]!.noised, steps };
}
