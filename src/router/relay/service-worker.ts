// The relay on a real service worker: its events, wired. Everything else is in worker-side.ts.
import { everyInterval, type RelayCall } from './messages';
import { createRelayWorker, type RelayWorld } from './worker-side';

type Extendable = { waitUntil(task: Promise<unknown>): void };
type Events = {
  readonly install: Extendable;
  readonly activate: Extendable;
  readonly message: Extendable & {
    readonly data: unknown;
    readonly source: unknown;
    readonly ports: readonly MessagePort[];
  };
  readonly fetch: Extendable & {
    readonly request: Request;
    readonly clientId: string;
    respondWith(response: Promise<Response>): void;
  };
};
type Client = NonNullable<Awaited<ReturnType<RelayWorld['client']>>>;

/** What is used of ServiceWorkerGlobalScope, whose types the page's compiler does not know. */
export type ServiceWorkerScope = {
  readonly registration: { readonly scope: string };
  readonly clients: { get(id: string): Promise<Client | undefined>; claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener<Kind extends keyof Events>(kind: Kind, listener: (event: Events[Kind]) => void): void;
};

/**
 * A worker with an event under way is not stopped for being idle, but Chromium stops one whose event takes five minutes. So a fetch
 * counts as one for less; a longer stream lives on the page's pings, each of which is an event of its own.
 */
const heldMs = 4 * 60_000;

const later = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/** Starts the relay. A new version takes over at once: what it does for a page does not depend on what was before. */
export function startRelay(scope: ServiceWorkerScope): void {
  const worker = createRelayWorker({
    scopeUrl: scope.registration.scope,
    client: (id) => (id === '' ? Promise.resolve(undefined) : scope.clients.get(id)),
    claim: () => scope.clients.claim(),
    newId: () => crypto.randomUUID(),
    every: everyInterval,
  });
  scope.addEventListener('install', (event) => event.waitUntil(scope.skipWaiting()));
  scope.addEventListener('activate', (event) => event.waitUntil(scope.clients.claim()));
  scope.addEventListener('message', (event) => {
    const { data, source, ports } = event;
    if (isCall(data) && isClient(source)) event.waitUntil(worker.hear(data, source, ports[0]));
  });
  scope.addEventListener('fetch', (event) => {
    const relayed = worker.relay(event.request, event.clientId);
    if (relayed === undefined) return;
    event.respondWith(relayed.response);
    event.waitUntil(Promise.race([relayed.settled, later(heldMs)]));
  });
}

function isCall(data: unknown): data is RelayCall {
  if (typeof data !== 'object' || data === null || !('kind' in data)) return false;
  if (data.kind === 'relay-ping') return 'id' in data && typeof data.id === 'string';
  return data.kind === 'relay-hello';
}

function isClient(source: unknown): source is Client {
  return typeof source === 'object' && source !== null && 'id' in source && 'postMessage' in source;
}
