// A stand-in for OpenRouter in unit tests: a `fetch` whose answers a test writes, and a record of what was sent.
import { createRouter, type Router, type RouterOptions } from '../router';
import type { RouterStore } from '../store';
import { createVirtualClock, type VirtualClock } from './virtual-clock';

export type Sent = {
  readonly path: string; // behind /api/v1
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
  readonly signal: AbortSignal;
};

/** What a chat of the script answers; `attempt` counts from 1. */
export type Script = (sent: Sent, attempt: number) => Response | Promise<Response>;

export type Bench = {
  readonly router: Router;
  readonly clock: VirtualClock;
  readonly store: RouterStore;
  readonly chats: Sent[]; // POST /chat/completions, in order
  readonly calls: Sent[]; // all
  /** Posts to `path` behind /v1 and waits on the virtual clock. */
  post(path: string, body: unknown, init?: Parameters<Router['fetch']>[1]): Promise<Response>;
  chat(body?: Record<string, unknown>, init?: Parameters<Router['fetch']>[1]): Promise<Response>;
};

/** The entry of a free text model; `over` replaces fields. */
export function modelEntry(id: string, over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id,
    name: id,
    created: 1_700_000_000,
    context_length: 32_768,
    architecture: { input_modalities: ['text'], output_modalities: ['text'] },
    pricing: { prompt: '0', completion: '0' },
    top_provider: { context_length: 32_768, max_completion_tokens: 4096 },
    supported_parameters: [
      'max_tokens',
      'temperature',
      'tools',
      'tool_choice',
      'response_format',
      'structured_outputs',
    ],
    expiration_date: null,
    ...over,
  };
}

/** A store in memory. */
export function createMemoryStore(): RouterStore {
  const values = new Map<string, unknown>();
  return {
    get: async (key) => values.get(key),
    async update(key, change) {
      const value: unknown = JSON.parse(JSON.stringify(change(values.get(key))));
      values.set(key, value);
      return value;
    },
  };
}

/** A router against a script. `models` is what /models and /models/user list. */
export function createBench(
  script: Script,
  models: readonly Record<string, unknown>[],
  over: Partial<RouterOptions> & { readonly routes?: (sent: Sent) => Response | undefined } = {},
): Bench {
  const clock = createVirtualClock();
  const store = over.store ?? createMemoryStore();
  const chats: Sent[] = [];
  const calls: Sent[] = [];
  let state = 1;
  const { routes, ...options } = over;
  const router = createRouter({
    upstream: 'https://upstream.test/api/v1',
    apiKey: () => 'sk-or-v1-canary',
    now: clock.now,
    sleep: clock.sleep,
    store,
    // a small generator: the tests are about what follows, not about chance
    random: () => (state = (state * 16807) % 2147483647) / 2147483647,
    async fetch(input, init) {
      const text = typeof init?.body === 'string' ? init.body : '{}';
      const sent: Sent = {
        path: (input as string).slice('https://upstream.test/api/v1'.length),
        headers: new Headers(init?.headers),
        body: JSON.parse(text) as Record<string, unknown>,
        signal: init?.signal ?? new AbortController().signal,
      };
      calls.push(sent);
      const own = routes?.(sent);
      if (own) return own;
      if (sent.path === '/models' || sent.path === '/models/user') return Response.json({ data: models });
      if (sent.path === '/chat/completions') return script(sent, chats.push(sent));
      return Response.json({ error: { message: 'Not found', code: 404 } }, { status: 404 });
    },
    ...options,
  });
  const post: Bench['post'] = (path, body, init) =>
    clock.run(
      router.fetch(`https://router.invalid/v1/${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
        ...init,
      }),
    );
  return {
    router,
    clock,
    store,
    chats,
    calls,
    post,
    chat: (body = {}, init) =>
      post('chat/completions', { model: 'free', messages: [{ role: 'user', content: 'hi' }], ...body }, init),
  };
}

/** An event of a stream: a chunk with one choice of `delta`. */
export function chunk(
  delta: Record<string, unknown>,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  const { finish_reason = null, ...rest } = more;
  return {
    id: 'gen-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'x/y:free',
    choices: [{ index: 0, delta, finish_reason }],
    ...rest,
  };
}

export const usage = { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8, cost: 0 };

/** A whole answer of OpenRouter: role on every chunk, finish reason twice, usage with a choice. */
export function goodEvents(text = 'Hello'): readonly unknown[] {
  return [
    chunk({ role: 'assistant', content: text }),
    chunk({ role: 'assistant', content: '' }, { finish_reason: 'stop' }),
    chunk({ role: 'assistant', content: '' }, { finish_reason: 'stop', usage }),
    '[DONE]',
  ];
}

/** Server-sent events; a string is sent as it is, a comment where it begins with a colon. */
export function toSse(events: readonly unknown[]): string {
  return events
    .map((event) =>
      typeof event !== 'string'
        ? `data: ${JSON.stringify(event)}\n\n`
        : event.startsWith(':')
          ? `${event}\n\n`
          : `data: ${event}\n\n`,
    )
    .join('');
}

/** A streamed answer. */
export function sse(events: readonly unknown[] = goodEvents()): Response {
  return new Response(toSse(events), { headers: { 'content-type': 'text/event-stream' } });
}

/** A streamed answer made step by step; `onCancel` hears that it was closed. */
export function liveSse(parts: AsyncIterable<string>, onCancel: () => void = () => undefined): Response {
  const iterator = parts[Symbol.asyncIterator]();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await iterator.next();
      if (next.done) controller.close();
      else controller.enqueue(new TextEncoder().encode(next.value));
    },
    cancel: onCancel,
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

/** An error answer. */
export function failing(status: number, error: Record<string, unknown>): Response {
  return Response.json({ error: { code: status, ...error }, user_id: 'user_secret' }, { status });
}

/** The JSON of a response. */
export async function jsonOf(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>;
}

/** The error object of a response. */
export async function errorOf(response: Response): Promise<Record<string, unknown>> {
  return (await jsonOf(response))['error'] as Record<string, unknown>;
}

/** The data of a streamed response: parsed events, '[DONE]' as it is. */
export function eventsOf(text: string): unknown[] {
  return text
    .split('\n\n')
    .filter((event) => event.startsWith('data: '))
    .map((event) => (event === 'data: [DONE]' ? '[DONE]' : (JSON.parse(event.slice(6)) as unknown)));
}
