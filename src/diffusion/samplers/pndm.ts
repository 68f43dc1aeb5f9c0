// PNDM (Liu et al. 2022, arXiv 2202.09778) as Stable Diffusion uses it: diffusers' PNDMScheduler with skip_prk_steps, also known as PLMS.
// A DDIM step on an Adams-Bashforth combination of the last outputs. The second timestep is visited twice: the first visit only improves
// the first step. eq. 9 of the paper is DDIM's, and is written that way because it then stands at ābar = 0.
import { planFrom, type Linear, type SamplerOptions, type SamplingPlan, type SamplingStep } from '../plan';
import { alphaBarAt, noisedAt, predictX0 } from '../prediction';
import type { NoiseSchedule } from '../schedule';
import { skippedSteps, wholeTimesteps } from '../timesteps';
import { ddimMean } from './ddim';

/** Weights of the last outputs by how many there are, the newest first. */
const adamsBashforth: readonly (readonly [number, ...number[]])[] = [
  [1],
  [3 / 2, -1 / 2],
  [23 / 12, -16 / 12, 5 / 12],
  [55 / 24, -59 / 24, 37 / 24, -9 / 24],
];

/** Plans PNDM: one model call more than steps. */
export function planPndm(schedule: NoiseSchedule, stepCount: number, options: SamplerOptions): SamplingPlan {
  const timesteps = wholeTimesteps(schedule, stepCount, schedule.timestepSpacing ?? 'leading');
  const stride = Math.floor(schedule.trainStepCount / stepCount);
  const calls = [...timesteps.slice(0, 2), ...timesteps.slice(1)];
  // diffusers starts image-to-image in the middle of this list and repeats nothing then: the second call is simply the next timestep
  const taken = calls.slice(skippedSteps(stepCount, options.strength));
  const steps = taken.map((t, i): SamplingStep => {
    const from = i === 1 ? t + stride : t; // the second call does the first step again
    const to = from - stride;
    const a = alphaBarAt(schedule, from);
    const next = to >= 0 ? schedule.alphasCumprod[to]! : schedule.finalAlphaCumprod;
    return {
      timestep: t,
      inputScale: 1,
      ...combine(i, ddimMean(schedule.predictionType, a, next, 0)),
      noise: 0,
      denoised: predictX0(schedule.predictionType, alphaBarAt(schedule, t)),
      noised: noisedAt(alphaBarAt(schedule, t)),
    };
  });
  return planFrom(steps, options, 1);
}

/** The step `move` of call i on the weighted outputs: its own, and those of earlier calls. */
function combine(i: number, { x, output }: Linear): Pick<SamplingStep, 'x' | 'output' | 'history'> {
  if (i === 1) return { x: 0, output: output / 2, history: [{ x, output: output / 2 }] };
  const known = i === 0 ? 1 : Math.min(i, 4); // outputs; the second call's is not one of them
  const [own, ...earlier] = adamsBashforth[known - 1]!;
  const history = Array.from({ length: Math.min(i, 4) }, () => ({ x: 0, output: 0 }));
  earlier.forEach((weight, k) => {
    const isBeforeRepeat = i - 1 - k <= 1;
    history[isBeforeRepeat ? k + 1 : k]!.output = output * weight;
  });
  return { x, output: output * own, history };
}
