// The service worker's half of the relay: fetches of <base>/v1/… go to the page that their bearer names, everything else goes its
// usual way. It holds no key, no router and no state that a stopped worker would lose: a client's id is in the token.
import type { Every, RelayAnswer, RelayCall, RelayDemand, RelayGone, RelayRequest } from './messages';
import { bearerOf, pageOfToken } from './page-token';
import { refuse, type Refusal } from '../refuse';

const maxBodyBytes = 32 * 2 ** 20;
/** No event tells that the page or the client is gone: the worker looks. */
const watchEveryMs = 5000;
/** A living page takes a request within a few milliseconds; a frozen one never does. */
const watchesUntilTaken = 3;

type Client = {
  readonly id: string;
  postMessage(message: unknown, transfer?: Transferable[]): void;
};

/** What is used of ServiceWorkerGlobalScope, so that tests can run it in Node. */
export type RelayWorld = {
  readonly scopeUrl: string;
  readonly client: (id: string) => Promise<Client | undefined>; // a living client of this origin
  readonly claim: () => Promise<void>;
  readonly newId: () => string;
  readonly every: Every;
};

export type RelayWorker = {
  /** The answer to a fetch, or undefined for one that is not the relay's; `settled` resolves when nothing of it is under way. */
  relay(
    request: Request,
    clientId: string,
  ): { readonly response: Promise<Response>; readonly settled: Promise<void> } | undefined;
  /** Handles a message of a page. */
  hear(call: RelayCall, page: Client, port: MessagePort | undefined): Promise<void>;
};

const forbidden = (message: string): Refusal => ({ status: 403, code: 'permission_denied', message });
const unreachable: Refusal = {
  status: 503,
  code: 'page_unreachable',
  message:
    'The page that this token belongs to does not answer: it was closed or is frozen in the background.',
};

const broken: Refusal = { status: 500, code: 'internal_error', message: 'The page could not answer.' };

/** Makes the worker's half of the relay. */
export function createRelayWorker(world: RelayWorld): RelayWorker {
  const open = new Set<string>();
  const root = new URL('v1', world.scopeUrl);

  async function relay(request: Request, clientId: string, ended: () => void): Promise<Response> {
    const admitted = await admit(world, request, clientId);
    if ('refusal' in admitted) {
      ended();
      return refuse(admitted.refusal);
    }
    const { page, token, body } = admitted;
    const id = world.newId();
    open.add(id);
    const isPresent = async () =>
      (await Promise.all([world.client(page.id), world.client(clientId)])).every((client) => client);
    const call: RelayRequest = {
      kind: 'relay-request',
      id,
      token,
      method: request.method,
      url: request.url,
      contentType: request.headers.get('content-type'),
      body,
    };
    return callPage(page, call, request.signal, world.every, isPresent, () => {
      open.delete(id);
      ended();
    });
  }

  return {
    relay: (request, clientId) => {
      const { origin, pathname } = new URL(request.url);
      const isOurs = pathname === root.pathname || pathname.startsWith(`${root.pathname}/`);
      if (origin !== root.origin || !isOurs) return undefined;
      let ended = () => {};
      const settled = new Promise<void>((resolve) => (ended = resolve));
      const response = relay(request, clientId, ended).catch((error: unknown) => {
        ended();
        throw error;
      });
      return { response, settled };
    },
    hear: async (call, page, port) => {
      if (call.kind === 'relay-hello') {
        await world.claim(); // a page that was loaded before the worker, or past it, is not under it yet
        port?.postMessage({ pageId: page.id });
      } else if (!open.has(call.id)) {
        page.postMessage({ kind: 'relay-gone', id: call.id } satisfies RelayGone);
      }
    },
  };
}

type Admitted =
  | { readonly refusal: Refusal }
  | { readonly page: Client; readonly token: string; readonly body: ArrayBuffer | null };

/** The rules of the endpoint that the worker can check; the page checks the token's secret. */
async function admit(world: RelayWorld, request: Request, clientId: string): Promise<Admitted> {
  const refused = (refusal: Refusal): Admitted => ({ refusal });
  // A form of any site can navigate here, and a navigation carries no client.
  if (request.mode === 'navigate')
    return refused(forbidden('This is an API: it answers programs, not navigation.'));
  if ((await world.client(clientId)) === undefined)
    return refused(forbidden('Only pages of this app may call this endpoint.'));
  const token = bearerOf(request.headers.get('authorization'));
  const pageId = token === undefined ? undefined : pageOfToken(token);
  if (token === undefined || pageId === undefined)
    return refused(forbidden('The API key must be the token that the page shows under "API endpoint".'));
  const page = await world.client(pageId);
  if (page === undefined)
    return refused(
      forbidden('The page that this token belongs to is closed: take the token of an open one.'),
    );
  const body = request.method === 'GET' || request.method === 'HEAD' ? null : await request.arrayBuffer();
  if (body !== null && body.byteLength > maxBodyBytes)
    return refused({ status: 413, code: 'request_too_large', message: 'A request may have 32 MB.' });
  return { page, token, body };
}

/** Sends the request to the page. Resolves with the response's head; `ended` is called once, when the whole exchange is over. */
function callPage(
  page: Client,
  call: RelayRequest,
  signal: AbortSignal,
  every: Every,
  isPresent: () => Promise<boolean>,
  ended: () => void,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const { port1: port, port2 } = new MessageChannel();
    const ask = (demand: RelayDemand) => port.postMessage(demand);
    let body: ReadableStreamDefaultController<Uint8Array> | undefined;
    let pulled = () => {};
    let isTaken = false;
    let isOver = false;

    const end = (settle: () => void) => {
      if (isOver) return;
      isOver = true;
      unwatch();
      settle();
      pulled();
      ask({ kind: 'cancel' }); // no news to a page that has said its end
      port.close();
      ended();
    };
    // Before the head this is an answer; after it only an error tells the client that what it has is not everything.
    const fail = (refusal: Refusal) =>
      end(() => {
        if (body) body.error(new TypeError(refusal.message));
        else resolve(refuse(refusal));
      });
    const cancel = () =>
      end(() => {
        const aborted = new DOMException('The request was aborted.', 'AbortError');
        body?.error(aborted);
        reject(aborted);
      });

    const hear = (answer: RelayAnswer) => {
      if (answer.kind === 'taken') isTaken = true;
      else if (answer.kind === 'head') {
        const { status, hasBody } = answer;
        const headers = answer.headers.map(([name, value]): [string, string] => [name, value]);
        resolve(new Response(hasBody ? stream() : null, { status, headers }));
      } else if (answer.kind === 'chunk') {
        body?.enqueue(answer.bytes);
        pulled();
      } else if (answer.kind === 'end') end(() => body?.close());
      else fail(broken);
    };
    const stream = () =>
      new ReadableStream<Uint8Array>({
        start: (controller) => void (body = controller),
        pull: () => {
          if (isOver) return;
          ask({ kind: 'pull' });
          return new Promise<void>((resolvePull) => (pulled = resolvePull));
        },
        cancel,
      });

    let watches = 0;
    const watch = () => {
      watches++;
      if (!isTaken && watches >= watchesUntilTaken) fail(unreachable);
      else void isPresent().then((isThere) => isThere || fail(unreachable));
    };
    const unwatch = every(watchEveryMs, watch);
    port.onmessage = ({ data }: MessageEvent<RelayAnswer>) => hear(data);
    signal.addEventListener('abort', cancel); // Chromium never says so before the head; after it the stream is cancelled
    page.postMessage(call, call.body ? [port2, call.body] : [port2]);
    if (signal.aborted) cancel();
  });
}
