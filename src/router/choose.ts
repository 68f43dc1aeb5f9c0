// The pick: weighted random without replacement (the caller leaves out what was tried), and the memory of who stays with whom.
import type { Model } from './model-record';

/** One of `models` with a probability by its weight; undefined where there are none. `random` is in [0, 1). */
export function pickWeighted(
  models: readonly Model[],
  weightOf: (model: Model) => number,
  random: () => number,
): Model | undefined {
  const weights = models.map(weightOf);
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  return models.find((_, i) => (left -= weights[i]!) < 0) ?? models.at(-1);
}

/** Which model a conversation stays with; the oldest conversations are forgotten first. */
export type Sticky = {
  get(conversation: string): string | undefined;
  set(conversation: string, model: string): void;
};

const rememberedConversations = 500;

/** An empty memory of conversations. */
export function createSticky(): Sticky {
  const models = new Map<string, string>();
  return {
    get: (conversation) => models.get(conversation),
    set(conversation, model) {
      models.delete(conversation);
      models.set(conversation, model);
      const oldest = models.size > rememberedConversations ? models.keys().next().value : undefined;
      if (oldest !== undefined) models.delete(oldest);
    },
  };
}
