// The free models as the page shows them, and what a chosen one can do.
import type { Capability, ModelStatus, RouterStatus } from '../router/status';
import { virtualModel, virtualNames } from '../router/virtual-models';

export type { Capability, ModelStatus, QuotaStatus, RouterStatus, Stop } from '../router/status';
export { virtualNames };

export type FreeModels = {
  readonly status: RouterStatus | undefined; // undefined until the router is loaded
  readonly isReading: boolean;
  readonly readFor: string | undefined; // whose list it is, by the end of the key; undefined: none was read
};

export const noModels: FreeModels = { status: undefined, isReading: false, readFor: undefined };

const needed = { vision: 'vision', tools: 'tools', json: 'json' } as const;

/** Whether a request for `name` can have `capability`: an id's own, or that of some model that a virtual name may choose. */
export function canDo(
  name: string,
  models: readonly ModelStatus[],
  capability: Extract<Capability, 'vision' | 'tools'>,
): boolean {
  const need = virtualModel(name)?.needs;
  const own = need === undefined || need === 'long' ? undefined : needed[need];
  return models.some(
    ({ id, capabilities }) =>
      (virtualNames.includes(name) || id === name) &&
      capabilities.includes(capability) &&
      (own === undefined || capabilities.includes(own)),
  );
}
