// The parts of a router, made once in router.ts and handed to the endpoints.
import type { Account } from './account';
import type { Sticky } from './choose';
import type { Draw } from './draw';
import type { FailureMemory } from './failure-memory';
import type { Health } from './health';
import type { Model } from './model-record';
import type { PageHooks } from './page-hooks';
import type { Costs, Quarantine } from './quarantine';
import type { Registry } from './registry';
import type { Upstream } from './upstream';
import type { Clock } from './watchdog';

export type RouterParts = {
  readonly clock: Clock;
  readonly random: () => number;
  readonly upstream: Upstream;
  readonly health: Health;
  readonly registry: Registry;
  readonly quarantine: Quarantine;
  readonly memory: FailureMemory;
  readonly sticky: Sticky;
  readonly draw: Draw | undefined;
  /** Checks that an answer was free, and puts its model aside where it was not. */
  readonly checkCost: (id: string, usage: Costs) => void;
  readonly onChange: () => void;
};

/** A request after its envelope was read. `account` and `key` belong together. */
export type Incoming = {
  readonly body: unknown;
  readonly hash: string; // of path and body
  readonly key: string;
  readonly account: Account;
  readonly hooks: PageHooks;
  readonly signal: AbortSignal;
};

/** The models that may be asked now, for a request. */
export function listModels(
  { registry }: RouterParts,
  { account, key, signal }: Incoming,
): Promise<readonly Model[]> {
  return registry.models({ id: account.id, key }, signal);
}

/** An id in the manner of `prefix-1f3a…`. */
export function mintId(prefix: string, random: () => number): string {
  return prefix + Array.from({ length: 24 }, () => Math.floor(random() * 36).toString(36)).join('');
}
