// The sampling loop: a plan run on a backend that holds tensors of any kind. It decodes nothing and knows neither model nor device.
import { assert } from '../base/assert';
import type { Job } from '../base/job';
import type { SamplingPlan } from './plan';

/** Arithmetic on latents T, with the model behind it. Results are new tensors, which the loop disposes. */
export type SampleBackend<T> = {
  /** The guided model output for x · inputScale at `timestep`; classifier-free guidance is done inside. */
  predict(x: T, timestep: number, inputScale: number, signal: AbortSignal): Promise<T>;
  /** Σ coefficient · tensor, as a new tensor. */
  linear(terms: readonly (readonly [number, T])[]): Promise<T>;
  /** Standard normal noise of the latents' shape; asked for once a step that adds noise, in order. */
  noise(stepIndex: number): Promise<T>;
  dispose(tensor: T): void;
};

export type SampleLoopRequest<T> = {
  /** Standard normal noise; stays the caller's. */
  readonly noise: T;
  /** An estimate of the picture comes with every so many steps, 0 = never; the last step has none, the result follows at once. */
  readonly previewEvery: number;
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
  { noise, previewEvery }: SampleLoopRequest<T>,
  signal: AbortSignal,
): Job<SampleStepEvent<T>, T> {
  const stepCount = plan.steps.length;
  assert(stepCount > 0, 'a sampling plan has at least one step');
  signal.throwIfAborted();
  const owned = new Set<T>();
  const own = (tensor: T) => {
    owned.add(tensor);
    return tensor;
  };
  const release = (tensor: T) => {
    if (owned.delete(tensor)) backend.dispose(tensor); // not the caller's noise
  };
  const historyLength = Math.max(...plan.steps.map((step) => step.history?.length ?? 0));
  const outputs: T[] = []; // of earlier steps, the newest first

  try {
    let x = plan.initialScale === 1 ? noise : own(await backend.linear([[plan.initialScale, noise]]));
    for (const [index, step] of plan.steps.entries()) {
      signal.throwIfAborted();
      // 1. the model
      const output = own(await backend.predict(x, step.timestep, step.inputScale, signal));
      // 2. the estimate of the picture, from the same x
      const isPreviewDue = previewEvery > 0 && (index + 1) % previewEvery === 0 && index + 1 < stepCount;
      const x0 = isPreviewDue
        ? own(
            await backend.linear([
              [step.denoised.x, x],
              [step.denoised.output, output],
            ]),
          )
        : undefined;
      // 3. the step
      const terms: (readonly [number, T])[] = [
        [step.x, x],
        [step.output, output],
      ];
      step.history?.forEach((coefficient, age) => {
        const earlier = outputs[age];
        assert(earlier !== undefined, `step ${index} asks for an output before the first`);
        terms.push([coefficient, earlier]);
      });
      const fresh = step.noise === 0 ? undefined : own(await backend.noise(index));
      if (fresh !== undefined) terms.push([step.noise, fresh]);
      const next = own(await backend.linear(terms));
      if (fresh !== undefined) release(fresh);
      release(x);
      x = next;
      // 4. outputs that no later step can ask for
      outputs.unshift(output);
      for (const stale of outputs.splice(historyLength)) release(stale);

      yield { kind: 'step-end', step: index + 1, stepCount, x0 };
      if (x0 !== undefined) release(x0);
    }
    owned.delete(x); // the caller's from here
    return x;
  } finally {
    for (const tensor of [...owned]) release(tensor);
  }
}
