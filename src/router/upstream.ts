// Requests to OpenRouter: our own header set and nothing of a client's, no cookies, no redirects. Paths are constants or ids of the
// registry. A browser sends only what OpenRouter's CORS list allows, so there is no other header here.
import { classifyError } from './classify-error';
import { AttemptError, ownFailure } from './failure';
import { withinTime, type Clock } from './watchdog';

export type UpstreamOptions = Clock & {
  readonly fetch: typeof globalThis.fetch;
  readonly upstream: string;
  readonly title?: string;
  readonly referer?: string;
};

export type Upstream = {
  /** The answer to a JSON body, whatever its status. Throws AttemptError('network'); rejects on abort. */
  post(
    path: '/chat/completions' | '/images' | '/embeddings',
    key: string,
    body: unknown,
    signal: AbortSignal,
  ): Promise<Response>;
  /** The JSON of a good answer. Throws an AttemptError; rejects on abort. */
  get(path: string, key: string | undefined, signal: AbortSignal): Promise<unknown>;
};

/** Of a list or a fact, in ms. */
const getTimeLimit = 20_000;

/** Longest error body that is read, in characters. */
const errorLength = 100_000;

/** A caller of OpenRouter. */
export function createUpstream(options: UpstreamOptions): Upstream {
  const { fetch, title, referer } = options; // fetch alone: a browser's refuses to be a method of something else

  async function send(path: string, key: string | undefined, init: RequestInit): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (key !== undefined) headers['authorization'] = `Bearer ${key}`;
    if (init.body !== undefined) headers['content-type'] = 'application/json';
    if (referer !== undefined) headers['http-referer'] = referer;
    if (title !== undefined) headers['x-openrouter-title'] = title;
    try {
      return await fetch(options.upstream + path, {
        ...init,
        headers,
        credentials: 'omit',
        redirect: 'error',
        cache: 'no-store',
        referrerPolicy: 'no-referrer',
      });
    } catch {
      init.signal?.throwIfAborted();
      // The words of the cause differ by browser and can hold a header's value, so they are left out.
      throw new AttemptError(ownFailure('network', 'OpenRouter cannot be reached.'));
    }
  }

  return {
    post: (path, key, body, signal) =>
      send(path, key, { method: 'POST', body: JSON.stringify(body), signal }),
    get: (path, key, signal) =>
      withinTime(options, getTimeLimit, signal, async (limited) =>
        readJson(await send(path, key, { method: 'GET', signal: limited }), options.now()),
      ),
  };
}

/** The JSON of an answer; throws an AttemptError where it is an error, by status or by content. */
export async function readJson(response: Response, now: number): Promise<unknown> {
  const text = await response.text();
  const body = parseJson(text.length > errorLength && !response.ok ? '' : text);
  if (!response.ok || body === undefined || isError(body)) {
    throw new AttemptError(classifyError(response.status, body, now));
  }
  return body;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // a page of a proxy: the status tells what it means
  }
}

function isError(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'error' in body && Boolean(body.error);
}
