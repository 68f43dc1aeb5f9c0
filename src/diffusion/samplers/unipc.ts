// UniPC of second order (Zhao et al. 2023, arXiv 2302.04867), as diffusers' UniPCMultistepScheduler: x0 prediction, B(h) = e^h − 1 ("bh2").
// x is variance preserving; σ is in sigma units, λ = −log σ, h = λ' − λ. The corrector of a step and the predictor of the next one
// start from the same x, so the correction is a combination of predicted x0 alone, which needs no further model call and no other state.
import {
  planFrom,
  weigh,
  type Linear,
  type SamplerOptions,
  type SamplingPlan,
  type SamplingStep,
} from '../plan';
import { noisedAt, predictX0 } from '../prediction';
import type { NoiseSchedule } from '../schedule';
import { wholeLevels } from '../sigmas';
import { skippedSteps } from '../timesteps';

/** Plans UniPC. */
export function planUniPc(schedule: NoiseSchedule, stepCount: number, options: SamplerOptions): SamplingPlan {
  const { timesteps, sigmas: all } = wholeLevels(schedule, stepCount, options);
  const first = skippedSteps(stepCount, options.strength);
  const sigmas = all.slice(first);
  const orderAt = (i: number) => Math.min(2, i + 1, sigmas.length - 1 - i);
  const x0At = sigmas.map((sigma) => predictX0(schedule.predictionType, 1 / (sigma ** 2 + 1)));
  const steps = timesteps.slice(first).map((timestep, i): SamplingStep => {
    const correction = i === 0 ? [0, 0, 0] : correct(sigmas, i, orderAt(i - 1));
    const { x, x0 } = predict(sigmas, i, orderAt(i));
    // weights of the predicted x0 of this step and the two before
    const weights = correction.map((weight, age) => x * weight + (x0[age] ?? 0));
    const [own, ...earlier] = weights.map((weight, age): Linear => weigh([weight, x0At[i - age] ?? none]));
    return {
      timestep,
      inputScale: 1,
      ...weigh([x, { x: 1, output: 0 }], [1, own!]),
      noise: 0,
      history: earlier.slice(0, i),
      denoised: x0At[i]!,
      noised: noisedAt(1 / (sigmas[i]! ** 2 + 1)),
    };
  });
  return planFrom(steps, options, 1);
}

const none: Linear = { x: 0, output: 0 };

/** From level i to the next: weights of the corrected x, and of the predicted x0 of this step and the one before. */
function predict(sigmas: readonly number[], i: number, order: number) {
  const [from, to] = [sigmas[i]!, sigmas[i + 1]!];
  const there = noisedAt(1 / (to ** 2 + 1));
  const x = there.noise / noisedAt(1 / (from ** 2 + 1)).noise;
  const gain = there.x0 * (1 - to / from);
  if (order === 1) return { x, x0: [gain, 0] };
  const slope = gain / 2 / earlierPart(sigmas, i); // of (x0 before − x0 here)
  return { x, x0: [gain - slope, slope] };
}

/**
 * What the corrector adds to the x of level i, which the predictor reached in a step of `order`: weights of the predicted x0 of this level
 * and the two before. Both differ only in how they weigh the differences of x0.
 */
function correct(sigmas: readonly number[], i: number, order: number): readonly number[] {
  const [from, to] = [sigmas[i - 1]!, sigmas[i]!];
  const gain = noisedAt(1 / (to ** 2 + 1)).x0 * (1 - to / from);
  if (order === 1) return [gain / 2, -gain / 2, 0];
  // ρ of eq. 11: R ρ = b with R = [[1, 1], [r, 1]], h negative as in diffusers
  const h = Math.log(to / from);
  const phi = Math.expm1(h) / h - 1;
  const b = [phi, 2 * (phi / h - 1 / 2)].map((value) => value / Math.expm1(h)) as [number, number];
  const r = earlierPart(sigmas, i - 1);
  const earlier = (b[0] - b[1]) / (1 - r);
  const own = b[0] - earlier;
  const old = (earlier - 1 / 2) / r; // the corrector's share of the older difference, less the predictor's
  return [gain * own, -gain * (own + old), gain * old];
}

/** Where the level before i lies, in units of the step from i: (λ before − λ) / h, negative. */
function earlierPart(sigmas: readonly number[], i: number): number {
  return Math.log(sigmas[i]! / sigmas[i - 1]!) / Math.log(sigmas[i]! / sigmas[i + 1]!);
}
