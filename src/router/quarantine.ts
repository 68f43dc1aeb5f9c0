// Models whose answer reported a cost. They are not asked again, in no tab, and the person is told why.
import { z } from 'zod';
import type { Notice } from './status';
import { changeRecord, readRecord, type RouterStore } from './store';

const schema = z.object({
  version: z.literal(1),
  models: z.array(z.object({ id: z.string(), at: z.number(), message: z.string() })),
});
const empty: z.infer<typeof schema> = { version: 1, models: [] };
const key = 'quarantine';

export type Quarantine = {
  load(): Promise<void>;
  has(id: string): boolean;
  add(id: string, message: string): Promise<void>;
  notices(): readonly Notice[];
};

/** The quarantine of this browser. */
export function createQuarantine(store: RouterStore, now: () => number, onChange: () => void): Quarantine {
  let { models } = empty;
  let loading: Promise<void> | undefined;
  const has = (id: string) => models.some((model) => model.id === id);
  return {
    load: () =>
      (loading ??= readRecord(store, key, schema, empty).then((record) => {
        models = [
          ...record.models,
          ...models.filter(({ id }) => !record.models.some((one) => one.id === id)),
        ];
      })),
    has,
    async add(id, message) {
      if (has(id)) return;
      const added = { id, at: now(), message };
      models = [...models, added]; // at once: the next request may come before the store answers
      onChange();
      await changeRecord(store, key, schema, empty, (record) => ({
        ...record,
        models: [...record.models.filter((model) => model.id !== id), added],
      }));
    },
    notices: () => models.map(({ id, at, message }) => ({ kind: 'cost', model: id, at, message })),
  };
}

/** What an answer tells of its price. */
export type Costs = {
  readonly cost?: number | null | undefined; // USD
  readonly is_byok?: boolean | null | undefined;
  readonly cost_details?: { readonly upstream_inference_cost?: number | null | undefined } | null | undefined;
};

/** Why an answer was not free, or undefined where it was. */
export function costOf({ cost, is_byok, cost_details }: Costs): string | undefined {
  const upstream = cost_details?.upstream_inference_cost ?? 0;
  if ((cost ?? 0) > 0) return `An answer cost $${cost}.`;
  if (upstream > 0) return `An answer cost $${upstream} at its provider.`;
  return is_byok === true ? 'An answer was charged to a provider key of the account.' : undefined;
}
