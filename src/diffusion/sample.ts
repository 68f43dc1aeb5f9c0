// The sampling loop: a plan run on a backend that holds tensors of any kind. It decodes nothing and knows neither model nor device.
import { assert } from '../base/assert';
import type { Job } from '../base/job';
import type { Linear, SamplingPlan } from './plan';
import type { NoiseMix } from './schedule';

type Term<T> = readonly [coefficient: number, tensor: T];

/** Arithmetic on latents T, with the model behind it. Results are new tensors, which the loop disposes. */
export type SampleBackend<T> = {
  /** The guided model output for x · inputScale at `timestep`; classifier-free guidance is done inside. */
  predict(x: T, timestep: number, inputScale: number, signal: AbortSignal): Promise<T>;
  /** Σ coefficient · tensor, as a new tensor. */
  linear(terms: readonly Term<T>[]): Promise<T>;
  /** kept + mask · (drawn − kept), as a new tensor: inpainting. */
  blend(mask: T, drawn: T, kept: T): Promise<T>;
  /** Standard normal noise of the latents' shape; asked for once a step that adds noise, in order. */
  noise(stepIndex: number): Promise<T>;
  dispose(tensor: T): void;
};

/** All tensors stay the caller's. */
export type SampleLoopRequest<T> = {
  /** Standard normal noise. */
  readonly noise: T;
  /** The clean latents of image-to-image and inpainting. */
  readonly picture?: T | undefined;
  /** Inpainting: 1 where is drawn, 0 where the picture stays. */
  readonly mask?: T | undefined;
  /** Asked after each model call but the last, whose result follows at once: whether an estimate of the picture is wanted. Left out: never. */
  readonly isPreviewDue?: (() => boolean) | undefined;
};

export type SampleStepEvent<T> = {
  readonly kind: 'step-end';
  readonly step: number; // 1-based: steps finished
  readonly stepCount: number;
  /** The x_0 estimate, where a preview is due; disposed when the next event is asked for. */
  readonly x0: T | undefined;
};

/**
 * Runs the plan and returns the final latents, which become the caller's. Aborts between steps, by rejecting;
 * whatever way the loop ends, its other tensors are disposed.
 */
export async function* sample<T>(
  plan: SamplingPlan,
  backend: SampleBackend<T>,
  request: SampleLoopRequest<T>,
  signal: AbortSignal,
): Job<SampleStepEvent<T>, T> {
  const { noise, picture, mask, isPreviewDue } = request;
  const stepCount = plan.steps.length;
  assert(stepCount > 0, 'a sampling plan has at least one step');
  assert(picture !== undefined || (plan.start.x0 === 0 && mask === undefined), 'there is no picture to keep');
  signal.throwIfAborted();
  const owned = new Set<T>();
  const own = (tensor: T) => {
    owned.add(tensor);
    return tensor;
  };
  const release = (tensor: T) => {
    if (owned.delete(tensor)) backend.dispose(tensor); // not the caller's
  };
  const linear = async (terms: readonly Term<T>[]) =>
    own(await backend.linear(terms.filter(([coefficient]) => coefficient !== 0)));
  const noised = ({ x0, noise: scale }: NoiseMix) =>
    linear(
      picture === undefined
        ? [[scale, noise]]
        : [
            [x0, picture],
            [scale, noise],
          ],
    );
  const historyLength = Math.max(...plan.steps.map((step) => step.history?.length ?? 0));
  const earlier: { readonly x: T; readonly output: T }[] = []; // the newest first

  try {
    const isPlainNoise = plan.start.x0 === 0 && plan.start.noise === 1;
    let x: T = isPlainNoise ? noise : await noised(plan.start);
    for (const [index, step] of plan.steps.entries()) {
      signal.throwIfAborted();
      // 1. the model
      const output = own(await backend.predict(x, step.timestep, step.inputScale, signal));
      // 2. the estimate of the picture, from the same x
      const isWanted = index + 1 < stepCount && isPreviewDue?.() === true;
      const x0 = isWanted ? await linear(termsOf(step.denoised, { x, output })) : undefined;
      // 3. the step
      const fresh = step.noise === 0 ? undefined : own(await backend.noise(index));
      const past = step.history?.flatMap((coefficients, age) => {
        const then = earlier[age];
        assert(then !== undefined, `step ${index} asks for one before the first`);
        return termsOf(coefficients, then);
      });
      let next: T = await linear([
        ...termsOf(step, { x, output }),
        ...(past ?? []),
        ...(fresh === undefined ? [] : [[step.noise, fresh] as const]),
      ]);
      if (fresh !== undefined) release(fresh);
      // 4. inpainting: what the mask keeps is the picture, as noisy as the next step expects it
      if (mask !== undefined) {
        const kept = await noised(plan.steps[index + 1]?.noised ?? { x0: 1, noise: 0 });
        const drawn = next;
        next = own(await backend.blend(mask, drawn, kept));
        release(drawn);
        release(kept);
      }
      // 5. what no later step can ask for
      earlier.unshift({ x, output });
      for (const stale of earlier.splice(historyLength)) {
        release(stale.x);
        release(stale.output);
      }
      x = next;

      yield { kind: 'step-end', step: index + 1, stepCount, x0 };
      if (x0 !== undefined) release(x0);
    }
    owned.delete(x); // the caller's from here
    return x;
  } finally {
    for (const tensor of [...owned]) release(tensor);
  }
}

function termsOf<T>(
  coefficients: Linear,
  { x, output }: { readonly x: T; readonly output: T },
): readonly Term<T>[] {
  return [
    [coefficients.x, x],
    [coefficients.output, output],
  ];
}
