// The noise schedule of a model: a diffusers scheduler_config.json read into ābar per training step, with the float32 arithmetic of
// diffusers. It knows nothing of sampling steps (samplers/). Notation: x_t = sqrt(ābar_t) x_0 + sqrt(1 − ābar_t) ε.
import { z } from 'zod';
import { assert, unreachable } from '../base/assert';
import { AppError } from '../base/errors';

export type PredictionType = 'epsilon' | 'v_prediction' | 'sample';
export type TimestepSpacing = 'leading' | 'trailing' | 'linspace';
type BetaSchedule = 'linear' | 'scaled_linear' | 'squaredcos_cap_v2';

export type NoiseSchedule = {
  readonly trainStepCount: number;
  readonly predictionType: PredictionType;
  /** undefined where the config leaves it to the sampler's own default, as diffusers does. */
  readonly timestepSpacing: TimestepSpacing | undefined;
  readonly stepsOffset: number;
  /** Betas were rescaled so that the last step is pure noise: alphasCumprod ends with 0. */
  readonly isZeroTerminalSnr: boolean;
  /** ābar_t, t = 0 … trainStepCount − 1. */
  readonly alphasCumprod: Float32Array;
  /** ābar of the clean end of the chain, for DDIM. */
  readonly finalAlphaCumprod: number;
  /** LCM and TCD: timesteps that the model was distilled on, and by what its boundary condition scales time. */
  readonly distilledStepCount: number;
  readonly timestepScaling: number;
};

// Defaults are those of diffusers' DDIMScheduler. clip_sample is not here: it bounds pixels, and StableDiffusionPipeline turns it off.
const configSchema = z.object({
  num_train_timesteps: z.int().min(2).default(1000),
  beta_start: z.number().positive().lt(1).default(0.0001),
  beta_end: z.number().positive().lt(1).default(0.02),
  beta_schedule: z.enum(['linear', 'scaled_linear', 'squaredcos_cap_v2']).default('linear'),
  trained_betas: z.null().optional(),
  prediction_type: z.enum(['epsilon', 'v_prediction', 'sample']).default('epsilon'),
  timestep_spacing: z.enum(['leading', 'trailing', 'linspace']).optional(),
  steps_offset: z.int().min(0).default(0),
  set_alpha_to_one: z.boolean().default(true),
  rescale_betas_zero_snr: z.boolean().default(false),
  original_inference_steps: z.int().min(1).default(50),
  timestep_scaling: z.number().positive().default(10),
  thresholding: z.literal(false).optional(), // not linear, so no plan can hold it
});

/**
 * Reads a scheduler_config.json. Fields that schedules do not use are ignored.
 * Throws AppError('unsupported-model') with the field in `reason`.
 */
export function parseSchedule(config: unknown): NoiseSchedule {
  const parsed = configSchema.safeParse(config);
  if (!parsed.success) {
    throw new AppError('unsupported-model', { reason: `scheduler: ${z.prettifyError(parsed.error)}` });
  }
  const c = parsed.data;
  if (c.original_inference_steps > c.num_train_timesteps) {
    throw new AppError('unsupported-model', {
      reason: 'scheduler: original_inference_steps beyond the schedule',
    });
  }
  const betas = makeBetas(c.beta_schedule, c.beta_start, c.beta_end, c.num_train_timesteps);
  const alphasCumprod = cumulativeAlphas(c.rescale_betas_zero_snr ? rescaleToZeroTerminalSnr(betas) : betas);
  return {
    trainStepCount: c.num_train_timesteps,
    predictionType: c.prediction_type,
    timestepSpacing: c.timestep_spacing,
    stepsOffset: c.steps_offset,
    isZeroTerminalSnr: c.rescale_betas_zero_snr,
    alphasCumprod,
    finalAlphaCumprod: c.set_alpha_to_one ? 1 : alphasCumprod[0]!,
    distilledStepCount: c.original_inference_steps,
    timestepScaling: c.timestep_scaling,
  };
}

function makeBetas(kind: BetaSchedule, start: number, end: number, count: number): Float32Array {
  switch (kind) {
    case 'linear':
      return float32Linspace(start, end, count);
    case 'scaled_linear':
      return float32Linspace(Math.sqrt(start), Math.sqrt(end), count).map((x) => x * x);
    case 'squaredcos_cap_v2': {
      // Nichol and Dhariwal 2021, eq. 17
      const alphaBar = (t: number) => Math.cos((((t + 0.008) / 1.008) * Math.PI) / 2) ** 2;
      return Float32Array.from({ length: count }, (_, i) =>
        Math.min(1 - alphaBar((i + 1) / count) / alphaBar(i / count), 0.999),
      );
    }
    default:
      return unreachable(kind);
  }
}

// torch.linspace in float32: from both ends to the middle, each with one rounding.
function float32Linspace(start: number, end: number, count: number): Float32Array {
  const [first, last] = [Math.fround(start), Math.fround(end)];
  const step = Math.fround(Math.fround(last - first) / (count - 1));
  return Float32Array.from({ length: count }, (_, i) =>
    i < Math.floor(count / 2) ? first + step * i : last - step * (count - 1 - i),
  );
}

// torch.cumprod of 1 − beta: float32 factors, a float64 product, each result rounded.
function cumulativeAlphas(betas: Float32Array): Float32Array {
  let product = 1;
  return betas.map((beta) => (product *= Math.fround(1 - beta)));
}

// Lin et al. 2023, "Common diffusion noise schedules and sample steps are flawed", algorithm 1.
function rescaleToZeroTerminalSnr(betas: Float32Array): Float32Array {
  const roots = cumulativeAlphas(betas).map(Math.sqrt);
  const first = roots[0]!;
  const last = roots.at(-1)!;
  const scale = Math.fround(first / Math.fround(first - last));
  const alphasBar = roots.map((root) => Math.fround(Math.fround(root - last) * scale) ** 2);
  return alphasBar.map((alphaBar, i) => 1 - (i === 0 ? alphaBar : Math.fround(alphaBar / alphasBar[i - 1]!)));
}

/** A linear combination of a clean latent and noise. */
export type NoiseMix = { readonly x0: number; readonly noise: number };

function alphaCumprodAt(schedule: NoiseSchedule, t: number): number {
  const value = schedule.alphasCumprod[t];
  assert(value !== undefined, `training step ${t} is not one of 0 to ${schedule.trainStepCount - 1}`);
  return value;
}

/** x_t = x0 · sqrt(ābar_t) + noise · sqrt(1 − ābar_t), for a whole t. */
export function addNoiseCoefficients(schedule: NoiseSchedule, t: number): NoiseMix {
  const alphaBar = alphaCumprodAt(schedule, t);
  return { x0: Math.sqrt(alphaBar), noise: Math.sqrt(1 - alphaBar) };
}

/** What the model is trained to predict at t: the noise, the velocity sqrt(ābar) ε − sqrt(1 − ābar) x_0 (Salimans and Ho 2022), or x_0. */
export function targetCoefficients(schedule: NoiseSchedule, t: number): NoiseMix {
  const mix = addNoiseCoefficients(schedule, t);
  switch (schedule.predictionType) {
    case 'epsilon':
      return { x0: 0, noise: 1 };
    case 'v_prediction':
      return { x0: -mix.noise, noise: mix.x0 };
    case 'sample':
      return { x0: 1, noise: 0 };
    default:
      return unreachable(schedule.predictionType);
  }
}

/** Signal to noise ratio ābar_t / (1 − ābar_t). */
export function snr(schedule: NoiseSchedule, t: number): number {
  const alphaBar = alphaCumprodAt(schedule, t);
  return alphaBar / (1 - alphaBar);
}
