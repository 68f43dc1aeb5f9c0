// The page's half of the relay: requests that the service worker passes on, checked against this page's token and answered by the
// router. The body goes out chunk by chunk, each when the worker asks, so a slow reader slows the upstream.
import { z } from 'zod';
import type { Every, RelayAnswer, RelayCall, RelayGone } from './messages';
import { refuse } from '../refuse';

/** Keeps the worker, which browsers stop after half a minute without events, and tells soon when it was stopped all the same. */
const pingEveryMs = 5000;

const requestSchema = z.object({
  kind: z.literal('relay-request'),
  id: z.string(),
  token: z.string(),
  method: z.string(),
  url: z.url(),
  contentType: z.string().nullable(),
  body: z.instanceof(ArrayBuffer).nullable(),
});
const goneSchema: z.ZodType<RelayGone> = z.object({ kind: z.literal('relay-gone'), id: z.string() });
const demandSchema = z.object({ kind: z.enum(['pull', 'cancel']) });

export type RelayPageOptions = {
  /** Where the worker's messages arrive: navigator.serviceWorker. */
  readonly messages: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;
  readonly token: string;
  readonly answer: (request: Request) => Promise<Response>; // the router's fetch; rejects on abort only
  readonly every: Every;
};

/** Answers what the worker relays until the function that it answers is called, which also ends what is under way. */
export function answerRelayed({ messages, token, answer, every }: RelayPageOptions): () => void {
  const open = new Map<string, AbortController>();

  const hear = (event: Event) => {
    const { data, ports, source } = event as MessageEvent<unknown>;
    const gone = goneSchema.safeParse(data);
    if (gone.success) return open.get(gone.data.id)?.abort();
    const request = requestSchema.safeParse(data);
    const [port] = ports;
    if (!request.success || port === undefined || source === null) return;
    void take(request.data, port, (call) => source.postMessage(call));
  };

  async function take(
    call: z.infer<typeof requestSchema>,
    port: MessagePort,
    callWorker: (call: RelayCall) => void,
  ): Promise<void> {
    const controller = new AbortController();
    const stopPings = every(pingEveryMs, () => callWorker({ kind: 'relay-ping', id: call.id }));
    open.set(call.id, controller);
    const tell = (news: RelayAnswer) => port.postMessage(news);
    try {
      tell({ kind: 'taken' });
      const demands = hearDemands(port, controller);
      const response =
        call.token === token
          ? await answer(requestOf(call, controller.signal))
          : refuse({
              status: 403,
              code: 'permission_denied',
              message: 'This token is not that of the open page: copy it again from "API endpoint".',
            });
      const { status, headers, body } = response;
      tell({ kind: 'head', status, headers: [...headers], hasBody: body !== null });
      if (body !== null) await sendBody(body, demands, controller.signal, tell);
      tell({ kind: 'end' });
    } catch {
      tell({ kind: 'failed' }); // the reason stays here: it may hold what is not the client's business
    } finally {
      stopPings();
      open.delete(call.id);
      port.close();
    }
  }

  messages.addEventListener('message', hear);
  return () => {
    messages.removeEventListener('message', hear);
    for (const controller of open.values()) controller.abort();
  };
}

function requestOf({ method, url, contentType, body }: z.infer<typeof requestSchema>, signal: AbortSignal) {
  const headers: HeadersInit = contentType === null ? {} : { 'content-type': contentType };
  return new Request(url, { method, headers, body, signal });
}

type Demands = { readonly next: () => Promise<void> };

/** The worker's pulls as promises, in order; a cancel aborts. */
function hearDemands(port: MessagePort, controller: AbortController): Demands {
  let pulls = 0;
  let wake = () => {};
  port.onmessage = ({ data }: MessageEvent<unknown>) => {
    const demand = demandSchema.safeParse(data);
    if (demand.data?.kind === 'pull') {
      pulls++;
      wake();
    } else controller.abort();
  };
  controller.signal.addEventListener('abort', () => wake());
  return {
    next: async () => {
      while (pulls === 0 && !controller.signal.aborted)
        await new Promise<void>((resolve) => (wake = resolve));
      controller.signal.throwIfAborted();
      pulls--;
    },
  };
}

async function sendBody(
  body: ReadableStream<Uint8Array>,
  demands: Demands,
  signal: AbortSignal,
  tell: (news: RelayAnswer) => void,
): Promise<void> {
  const reader = body.getReader();
  const cancel = () => void reader.cancel(signal.reason).catch(() => {}); // its failure is the abort itself
  signal.addEventListener('abort', cancel);
  try {
    for (;;) {
      await demands.next();
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return;
      tell({ kind: 'chunk', bytes: value });
    }
  } finally {
    signal.removeEventListener('abort', cancel);
    reader.releaseLock();
  }
}
