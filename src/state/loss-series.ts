// The points of the loss figure: transient, outside React, drawn by whoever subscribes.

export type LossSeries = {
  /** Finished steps, the first is 1; `losses` and `smoothed` have one value for each. */
  readonly steps: readonly number[];
  readonly losses: readonly number[];
  readonly smoothed: readonly number[];
  /** Losses on the fixed evaluation set. */
  readonly evaluations: readonly { readonly step: number; readonly loss: number }[];
  addStep(step: number, loss: number): void;
  addEvaluation(step: number, loss: number): void;
  /** Starts anew with the losses of a stored run, one per finished step. */
  reset(losses: ArrayLike<number>): void;
  subscribe(listener: () => void): () => void;
};

/** Weight of the newest loss in the running mean. */
const newest = 0.06;

/** An empty series. A step that comes again (a run that went on from a checkpoint) replaces what followed it. */
export function createLossSeries(): LossSeries {
  const steps: number[] = [];
  const losses: number[] = [];
  const smoothed: number[] = [];
  const evaluations: { step: number; loss: number }[] = [];
  const listeners = new Set<() => void>();
  const notify = () => {
    for (const listener of listeners) listener();
  };
  const push = (step: number, loss: number) => {
    const keep = steps.findLastIndex((known) => known < step) + 1;
    for (const list of [steps, losses, smoothed]) list.length = keep;
    const before = smoothed.at(-1) ?? loss;
    // a mean of all so far while there are few, then one that forgets
    const weight = Math.max(newest, 1 / (steps.length + 1));
    steps.push(step);
    losses.push(loss);
    smoothed.push(before + weight * (loss - before));
  };
  return {
    steps,
    losses,
    smoothed,
    evaluations,
    addStep: (step, loss) => {
      push(step, loss);
      notify();
    },
    addEvaluation: (step, loss) => {
      while (evaluations.length > 0 && evaluations.at(-1)!.step >= step) evaluations.pop();
      evaluations.push({ step, loss });
      notify();
    },
    reset: (stored) => {
      for (const list of [steps, losses, smoothed, evaluations]) list.length = 0;
      for (let i = 0; i < stored.length; i++) push(i + 1, stored[i]!);
      notify();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
