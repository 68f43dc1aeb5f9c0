// The free-model router: every free model of OpenRouter behind one OpenAI-compatible interface, with the person's own key.
import type { Draw } from './draw';
import type { RouterInit } from './page-hooks';
import type { RouterStatus } from './status';
import type { RouterStore } from './store';

export type RouterOptions = {
  readonly fetch: typeof globalThis.fetch; // to OpenRouter
  readonly upstream: string; // 'https://openrouter.ai/api/v1', a build constant of the caller
  readonly apiKey: () => string | undefined; // asked at each request; never kept, never logged
  readonly now: () => number; // ms since 1970
  readonly random: () => number; // [0, 1)
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>; // rejects when aborted
  readonly store: RouterStore;
  readonly draw?: Draw; // draws locally: the `likeness/<subject>` models
  readonly title?: string; // of the app, told to OpenRouter
  readonly referer?: string; // its address
};

export type Router = {
  /** Answers a request for `<anything>/v1/…` as the OpenAI API does. Never rejects but on abort. Ignores the request's own Authorization. */
  fetch(input: RequestInfo | URL, init?: RouterInit): Promise<Response>;
  /** For the page: the live state and its changes. `get` returns the same object until something changed. */
  readonly status: {
    get(): RouterStatus;
    subscribe(listener: (status: RouterStatus) => void): () => void;
  };
  /** Reads the model list and the key's facts now. Rejects on abort only; a failure is told in the status. */
  refresh(signal?: AbortSignal): Promise<void>;
  /** The person pressed "try again": every stop of this key is lifted. */
  retryStopped(): void;
};

/** Makes a router. It does nothing until it is asked. */
export function createRouter(options: RouterOptions): Router {
  throw new Error(`not built yet: ${options.upstream}`);
}
