// Which endpoint a request means, and its envelope. What stands before /v1/ does not matter, so that one handler serves any base.
import { badRequest, RequestError } from './errors';

type Route =
  | { readonly kind: 'chat' }
  | { readonly kind: 'images' }
  | { readonly kind: 'embeddings' }
  | { readonly kind: 'models' }
  | { readonly kind: 'model'; readonly id: string };

export type Envelope = {
  readonly route: Route;
  readonly path: string; // behind /v1/
  readonly readText: () => Promise<string>;
};

const postRoutes: Readonly<Record<string, Route>> = {
  'chat/completions': { kind: 'chat' },
  'images/generations': { kind: 'images' },
  embeddings: { kind: 'embeddings' },
};

/** The route of a request. Throws a RequestError (404) for what is not served. */
export function readEnvelope(input: RequestInfo | URL, init: RequestInit | undefined): Envelope {
  const request = input instanceof Request ? input : undefined;
  const url = typeof input === 'string' ? input : input instanceof URL ? input.href : input.url;
  const method = (init?.method ?? request?.method ?? 'GET').toUpperCase();
  const path = /^[^?#]*?\/v1\/([^?#]*)/.exec(url)?.[1]?.replace(/\/+$/, '') ?? '';
  const body = init?.body;
  const readText = () =>
    body !== undefined && body !== null
      ? new Response(body).text()
      : (request?.clone().text() ?? Promise.resolve(''));
  return { route: routeOf(method, path), path, readText };
}

function routeOf(method: string, path: string): Route {
  if (method === 'POST' && Object.hasOwn(postRoutes, path)) return postRoutes[path]!;
  if (method === 'GET' && path === 'models') return { kind: 'models' };
  const id = method === 'GET' ? /^models\/(.+)$/.exec(path)?.[1] : undefined;
  if (id !== undefined) return { kind: 'model', id: decode(id) };
  throw new RequestError(
    404,
    'unknown_url',
    `${method} /v1/${path.slice(0, 100)} is not served here. Chats go to POST /v1/chat/completions (chat.completions).`,
  );
}

function decode(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id; // no model has such a name
  }
}

/** The JSON of a body. Throws a RequestError (400). */
export function parseBody(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw badRequest('The body is not JSON.');
  }
}
