// GET /models and GET /models/{id}: the virtual names, the free models with their health, and the local subjects.
import { capabilitiesOf, type Model } from '../model-record';
import type { RouterParts } from '../parts';
import type { ModelStatus } from '../status';
import { virtualNames } from '../virtual-models';

/** The health and the facts of a model, for the page and for lists. */
export function modelStatus({ health }: Pick<RouterParts, 'health'>, now: number, model: Model): ModelStatus {
  const { success, firstTokenMs, tokensPerSecond, coolUntil, coolCause } = health.of(model.id);
  return {
    id: model.id,
    name: model.name,
    author: model.author,
    contextLength: model.contextLength,
    parameters: model.parameters ?? undefined,
    capabilities: capabilitiesOf(model),
    expiresAt: model.expiresAt ?? undefined,
    success,
    firstTokenMs,
    tokensPerSecond,
    coolDown: coolUntil > now ? { until: coolUntil, cause: coolCause } : undefined,
    waitMs: health.expectedWaitMs(model.id),
  };
}

/** The list as OpenAI has it, each with the router's own facts beside. Asks nobody but the registry and the drawer. */
export async function modelItems(
  parts: RouterParts,
  models: readonly Model[],
): Promise<readonly { readonly id: string }[]> {
  const now = parts.clock.now();
  const waits = models.map(({ id }) => parts.health.expectedWaitMs(id));
  const shortest = waits.length > 0 ? Math.round(Math.min(...waits)) : null;
  const subjects = (await parts.draw?.subjects()) ?? [];
  return [
    ...virtualNames.map((id) => ({ ...item(id, 0, 'likeness-router'), estimated_wait_ms: shortest })),
    ...models.map((model) => {
      const status = modelStatus(parts, now, model);
      return {
        ...item(model.id, model.created, model.author),
        name: model.name,
        context_length: model.contextLength,
        capabilities: status.capabilities,
        parameters: status.parameters ?? null, // billions
        health: {
          success: Math.round(status.success * 1000) / 1000,
          first_token_ms: rounded(status.firstTokenMs),
          tokens_per_second: rounded(status.tokensPerSecond),
          cooling_until: status.coolDown?.until ?? null, // ms since 1970
        },
        estimated_wait_ms: Math.round(status.waitMs),
      };
    }),
    ...subjects.map(({ id, createdAt }) => item(`likeness/${id}`, Math.floor(createdAt / 1000), 'you')),
  ];
}

function item(id: string, created: number, owner: string) {
  return { id, object: 'model' as const, created, owned_by: owner };
}

function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value);
}
