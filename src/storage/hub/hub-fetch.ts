// `fetch` for the Hugging Face hub: the person's token for the hub alone, waiting where the hub asks for it, and an AppError for every
// answer that is no success. What an error code of the hub means: huggingface_hub's `hf_raise_for_status`.
import { AppError, type ErrorDetails } from '../../base/errors';

/** Where models are described and resolved; files may come from other hosts, by redirect. */
export const hubOrigin = 'https://huggingface.co';

export type HubAccess = {
  /** The model that the requests are for, for the words of a failure. */
  readonly model: string;
  readonly token?: string | undefined;
  readonly fetch: typeof globalThis.fetch;
  readonly signal: AbortSignal;
  /** Resolves after `ms`; rejects when the signal aborts. */
  readonly wait?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
};

const backoffSeconds = [1, 2, 4, 8, 16];
/** Longer than this nobody waits with a bar that stands still: the failure says when to come back. */
const longestWaitSeconds = 60;

/**
 * A fetch that answers successes only (2xx, and 416, which a resumed download understands). 429, 5xx and broken connections are
 * tried again up to five times. Throws AppError('hub-sign-in' | 'hub-gated' | 'hub-missing' | 'hub-busy' | 'hub-unreachable').
 */
export function createHubFetch(access: HubAccess): typeof globalThis.fetch {
  const { wait = waitFor } = access;
  return async (input, init) => {
    for (let attempt = 0; ; attempt++) {
      const answer = await send(access, input, init);
      if (answer instanceof Response && (answer.ok || answer.status === 416)) return answer;
      const failure = answer instanceof Response ? failureOf(answer, access) : answer;
      if (answer instanceof Response) await answer.body?.cancel();
      const seconds = Number(failure.details['retryAfterSeconds'] ?? backoffSeconds[attempt]);
      const isRetried = failure.code === 'hub-busy' || failure.cause !== undefined;
      if (!isRetried || attempt === backoffSeconds.length || seconds > longestWaitSeconds) throw failure;
      await wait(1000 * seconds, access.signal);
    }
  };
}

/** One request. A connection that fails is an answer too, unless it was ended on purpose. */
async function send(
  { model, token, fetch, signal }: HubAccess,
  input: RequestInfo | URL,
  init: RequestInit = {},
): Promise<Response | AppError> {
  const request = new Request(input, {
    ...init,
    signal: null,
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
    cache: 'no-store', // gigabytes are kept once, by us
  });
  if (token !== undefined && new URL(request.url).origin === hubOrigin) {
    if (!/^[\x21-\x7e]+$/.test(token)) return new AppError('hub-sign-in', { model, hasToken: true });
    request.headers.set('Authorization', `Bearer ${token}`); // browsers drop it where a redirect leaves the hub
  }
  try {
    // Beside the request, not in it: a signal that a request follows is lost when the request is collected as garbage.
    return await fetch(request, { signal });
  } catch (error) {
    signal.throwIfAborted();
    return new AppError('hub-unreachable', { model }, error);
  }
}

function failureOf({ status, headers }: Response, { model, token }: HubAccess): AppError {
  const code = headers.get('X-Error-Code');
  const hasToken = token !== undefined;
  const retryAfterSeconds = retryAfter(headers);
  const busy: ErrorDetails = {
    model,
    status,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  };
  if (code === 'GatedRepo' || status === 403) return new AppError('hub-gated', { model, hasToken });
  if (status === 401) return new AppError('hub-sign-in', { model, hasToken });
  if (status === 404 || status === 410) return new AppError('hub-missing', { model });
  if (status === 429 || status >= 500) return new AppError('hub-busy', busy);
  return new AppError('hub-unreachable', { model, status });
}

/** Seconds until the next try is welcome (RFC 9110, 10.2.3: a number of seconds, or a date). */
function retryAfter(headers: Headers): number | undefined {
  const value = headers.get('Retry-After');
  if (value === null) return undefined;
  if (/^\d+$/.test(value)) return Number(value);
  // The server's own clock counts, not this machine's.
  const seconds = (Date.parse(value) - Date.parse(headers.get('Date') ?? '')) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : undefined;
}

function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
