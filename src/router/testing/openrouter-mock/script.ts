// The script of the mock: what it does with the next requests, and with those of one model.
import type { Behaviour } from './behaviour';

export type Script = {
  /** One behaviour each for the coming model requests, whatever their model. Before all others. */
  next(...behaviours: readonly Behaviour[]): void;
  /** One behaviour each for the coming requests of this model. */
  queue(model: string, ...behaviours: readonly Behaviour[]): void;
  /** From now on; without a model, of every model that has none of its own. */
  always(behaviour: Behaviour, model?: string): void;
  /** Takes the behaviour for one request of `model`. */
  take(model: string): Behaviour;
};

export function createScript(): Script {
  const coming: Behaviour[] = [];
  const queues = new Map<string, Behaviour[]>();
  const standing = new Map<string, Behaviour>();
  let standard: Behaviour = { kind: 'answer' };
  return {
    next: (...behaviours) => void coming.push(...behaviours),
    queue(model, ...behaviours) {
      queues.set(model, [...(queues.get(model) ?? []), ...behaviours]);
    },
    always(behaviour, model) {
      if (model === undefined) standard = behaviour;
      else standing.set(model, behaviour);
    },
    take(model) {
      return coming.shift() ?? queues.get(model)?.shift() ?? standing.get(model) ?? standard;
    },
  };
}
