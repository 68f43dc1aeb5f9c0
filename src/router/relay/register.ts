// Puts the page under its service worker and answers where an OpenAI client reaches it: same-origin <base>/v1 with the page's token.
import type { Every, RelayCall, RelayWelcome } from './messages';
import { answerRelayed } from './page-side';
import { pageToken } from './page-token';

export type RelayOptions = {
  readonly container: ServiceWorkerContainer;
  readonly baseUri: string; // document.baseURI
  readonly answer: (request: Request) => Promise<Response>; // the router's fetch
  readonly newSecret: () => string; // base64url, 32 random bytes
  readonly every: Every;
};

export type Relay = { readonly baseUrl: string; readonly token: string; readonly dispose: () => void };

/** Resolves when requests reach the router. Rejects where the browser gives no service worker (an insecure or private page). */
export async function registerRelay(options: RelayOptions): Promise<Relay> {
  const { container, baseUri, answer, newSecret, every } = options;
  const registered = await container.register(new URL('service-worker.js', baseUri), {
    scope: new URL('./', baseUri).pathname,
    updateViaCache: 'none',
  });
  const { active } = await container.ready;
  const worker = active ?? registered.active;
  if (worker === null) throw new Error('the service worker is not active');
  const pageId = await greet(worker);
  if (container.controller === null) {
    await new Promise((resolve) => container.addEventListener('controllerchange', resolve, { once: true }));
  }
  const token = pageToken(pageId, newSecret());
  const dispose = answerRelayed({ messages: container, token, answer, every });
  container.startMessages();
  return { baseUrl: new URL('v1', baseUri).href, token, dispose };
}

/** Says hello; the worker takes the page under its control and tells its client id, which a page cannot read itself. */
function greet(worker: ServiceWorker): Promise<string> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = ({ data }: MessageEvent<RelayWelcome>) => {
      resolve(data.pageId);
      port1.close();
    };
    worker.postMessage({ kind: 'relay-hello' } satisfies RelayCall, [port2]);
  });
}
