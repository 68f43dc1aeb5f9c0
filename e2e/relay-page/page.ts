// The page of the relay's browser tests: its router is driven by the test, chunk by chunk.
import { everyInterval } from '../../src/router/relay/messages';
import { registerRelay, type Relay } from '../../src/router/relay/register';

type Stream = {
  isAborted: boolean;
  /** Sends the response's head. */
  commit(): void;
  send(chunk: string): void;
  close(): void;
};

export type RelayPage = {
  readonly relay: Promise<Relay>;
  /** Requests to …/v1/stream, in the order of their arrival. */
  readonly streams: Stream[];
  /** What the client of this page has read: chunks, then how it ended. */
  readonly read: string[];
  /** The status that a worker of this page gets. */
  readonly callFromWorker: (url: string, token: string) => Promise<unknown>;
};

const streams: Stream[] = [];

async function answer(request: Request): Promise<Response> {
  const { method, url } = request;
  if (!url.endsWith('/stream')) return Response.json({ method, url, body: await request.text() });
  let commit = () => {};
  const isCommitted = new Promise<void>((resolve) => (commit = resolve));
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      const stream: Stream = {
        isAborted: false,
        commit,
        send: (chunk) => controller.enqueue(new TextEncoder().encode(chunk)),
        close: () => controller.close(),
      };
      request.signal.addEventListener('abort', () => (stream.isAborted = true));
      streams.push(stream);
    },
  });
  await isCommitted;
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

const relay = registerRelay({
  container: navigator.serviceWorker,
  baseUri: document.baseURI,
  answer,
  newSecret: () => crypto.randomUUID(),
  every: everyInterval,
});

const callFromWorker = (url: string, token: string) =>
  new Promise<unknown>((resolve) => {
    const worker = new Worker(new URL('./client.worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage({ url, token });
  });

Object.assign(window, { relayPage: { relay, streams, read: [], callFromWorker } satisfies RelayPage });
