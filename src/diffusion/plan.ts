// What a sampler is: a function from a noise schedule to a plan. Every step is a linear combination with scalar coefficients, so one plan
// runs on arrays of any kind. Coefficients are float64.
import type { NoiseSchedule } from './schedule';

/** next = x · `x` + output · `output` + noise · `noise` + Σ earlier output i · `history[i]`. */
export type SamplingStep = {
  /** What the model is told; Euler's linspace has fractions. */
  readonly timestep: number;
  /** The model sees x · inputScale. */
  readonly inputScale: number;
  readonly x: number;
  readonly output: number;
  /** 0: no noise is drawn. */
  readonly noise: number;
  /** Coefficients of the outputs of earlier steps, the newest first, for multistep samplers. */
  readonly history?: readonly number[];
  /** The prediction of x_0 from this step's x and output, for previews. */
  readonly denoised: { readonly x: number; readonly output: number };
};

export type SamplingPlan = {
  /** The first x is standard normal noise times this. */
  readonly initialScale: number;
  readonly steps: readonly SamplingStep[];
};

export type SamplerOptions = {
  /** DDIM's share of fresh noise, 0 (deterministic, the default) to 1 (DDPM); other samplers ignore it. */
  readonly eta?: number;
};

/** Makes a plan of `stepCount` steps; throws AppError('bad-settings') where the schedule has no such plan. */
export type Sampler = (schedule: NoiseSchedule, stepCount: number, options: SamplerOptions) => SamplingPlan;
