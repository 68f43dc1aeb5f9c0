// DPM-Solver++ of second order, multistep (Lu et al. 2022, arXiv 2211.01095, algorithm 2), and its stochastic form, as diffusers'
// DPMSolverMultistepScheduler with the midpoint solver. x is variance preserving; σ is in sigma units, λ = −log σ, h = λ' − λ.
import { planFrom, weigh, type SamplerOptions, type SamplingPlan, type SamplingStep } from '../plan';
import { noisedAt, predictX0 } from '../prediction';
import type { NoiseSchedule } from '../schedule';
import { wholeLevels } from '../sigmas';
import { skippedSteps } from '../timesteps';

/** Plans DPM-Solver++ 2M. */
export function planDpmSolver(
  schedule: NoiseSchedule,
  stepCount: number,
  options: SamplerOptions,
): SamplingPlan {
  return plan(schedule, stepCount, options, false);
}

/** Plans DPM-Solver++ 2M SDE: fresh noise after every step but the last. */
export function planDpmSolverSde(
  schedule: NoiseSchedule,
  stepCount: number,
  options: SamplerOptions,
): SamplingPlan {
  return plan(schedule, stepCount, options, true);
}

function plan(
  schedule: NoiseSchedule,
  stepCount: number,
  options: SamplerOptions,
  isStochastic: boolean,
): SamplingPlan {
  const { timesteps, sigmas } = wholeLevels(schedule, stepCount, options);
  const first = skippedSteps(stepCount, options.strength);
  const x0At = (sigma: number) => predictX0(schedule.predictionType, 1 / (sigma ** 2 + 1));
  const steps = timesteps.slice(first).map((timestep, i): SamplingStep => {
    const [from, to] = [sigmas[first + i]!, sigmas[first + i + 1]!];
    const shrink = to / from; // e^−h
    const here = noisedAt(1 / (from ** 2 + 1));
    const there = noisedAt(1 / (to ** 2 + 1));
    const gain = there.x0 * (1 - (isStochastic ? shrink ** 2 : shrink));
    // the first step knows no slope, the last has an infinite h
    const isFirstOrder = i === 0 || to === 0;
    const before = sigmas[first + i - 1]!;
    const slope = isFirstOrder ? 0 : (gain / 2) * (Math.log(from / to) / Math.log(before / from));
    const x0 = x0At(from);
    return {
      timestep,
      inputScale: 1,
      ...weigh(
        [(there.noise / here.noise) * (isStochastic ? shrink : 1), { x: 1, output: 0 }],
        [gain + slope, x0],
      ),
      noise: isStochastic ? there.noise * Math.sqrt(1 - shrink ** 2) : 0,
      ...(isFirstOrder ? {} : { history: [weigh([-slope, x0At(before)])] }),
      denoised: x0,
      noised: here,
    };
  });
  return planFrom(steps, options, 1);
}
