// The same body within a minute of its failure shares that failure's attempts: a client that retries by itself does not multiply ours.
import type { RequestError } from './openai/errors';

/** Attempts of one request, its retries by a client included. */
export const maxAttempts = 4;

const rememberedMs = 60_000;
const rememberedFailures = 200;

type Remembered = { readonly attempts: number; readonly at: number; readonly error: RequestError };

export type FailureMemory = {
  /** The earlier failure of a request, by a hash of its body. */
  get(hash: string): Remembered | undefined;
  set(hash: string, attempts: number, error: RequestError): void;
  delete(hash: string): void;
};

/** An empty memory. `now` in ms since 1970. */
export function createFailureMemory(now: () => number): FailureMemory {
  const failures = new Map<string, Remembered>();
  return {
    get(hash) {
      const failure = failures.get(hash);
      return failure && now() - failure.at < rememberedMs ? failure : undefined;
    },
    set(hash, attempts, error) {
      failures.delete(hash);
      failures.set(hash, { attempts, error, at: now() });
      const oldest = failures.size > rememberedFailures ? failures.keys().next().value : undefined;
      if (oldest !== undefined) failures.delete(oldest);
    },
    delete: (hash) => void failures.delete(hash),
  };
}
