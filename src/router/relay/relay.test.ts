// Both halves of the relay over real message channels, with a world made by hand.
import { afterEach, expect, test } from 'vitest';
import type { Every, RelayCall } from './messages';
import { answerRelayed } from './page-side';
import { pageToken } from './page-token';
import { createRelayWorker, type RelayWorker } from './worker-side';

const token = pageToken('page-1', 'secret');
const scopeUrl = 'https://host.test/app/';
const endpoint = `${scopeUrl}v1/chat/completions`;

type World = {
  readonly worker: () => RelayWorker;
  readonly restart: () => void;
  /** Ids of the living clients. */
  readonly living: Set<string>;
  /** Lets every watch and ping run once. */
  readonly tick: () => void;
  readonly ask: (headers?: HeadersInit, init?: RequestInit) => Promise<Response>;
  readonly claims: () => number;
  readonly dispose: () => void;
};

const disposals: (() => void)[] = [];
afterEach(() => disposals.splice(0).forEach((dispose) => dispose()));

/** A worker and one page, whose router is `answer`. */
function createWorld(answer: (request: Request) => Promise<Response>, isFrozen = false): World {
  const living = new Set(['page-1', 'tab-2']);
  const tasks = new Set<() => void>();
  const every: Every = (_, task) => {
    tasks.add(task);
    return () => void tasks.delete(task);
  };
  const pageMessages = new EventTarget();
  let claims = 0;
  let ids = 0;
  const page = {
    id: 'page-1',
    postMessage: (message: unknown, transfer: Transferable[] = []) => {
      if (isFrozen) return;
      const data: unknown = structuredClone(message, {
        transfer: transfer.filter((one) => one instanceof ArrayBuffer),
      });
      const ports = transfer.filter((one) => one instanceof MessagePort);
      pageMessages.dispatchEvent(Object.assign(new Event('message'), { data, ports, source }));
    },
  };
  const makeWorker = () =>
    createRelayWorker({
      scopeUrl,
      client: async (id) =>
        living.has(id) ? (id === 'page-1' ? page : { id, postMessage: () => {} }) : undefined,
      claim: async () => void claims++,
      newId: () => `request-${++ids}`,
      every,
    });
  let worker = makeWorker();
  const source = { postMessage: (call: RelayCall) => void worker.hear(call, page, undefined) };
  const dispose = answerRelayed({ messages: pageMessages, token, answer, every });
  disposals.push(dispose);
  return {
    worker: () => worker,
    restart: () => (worker = makeWorker()),
    living,
    tick: () => [...tasks].forEach((task) => task()),
    ask: async (headers = { authorization: `Bearer ${token}` }, init = {}) => {
      const relayed = worker.relay(new Request(endpoint, { headers, ...init }), 'tab-2');
      return relayed!.response;
    },
    claims: () => claims,
    dispose,
  };
}

const neverAsked = async (): Promise<Response> => {
  throw new Error('the router was asked');
};

const codeOf = async (response: Response): Promise<readonly [number, string, string | null]> => {
  const { error } = (await response.json()) as { error: { code: string } };
  return [response.status, error.code, response.headers.get('x-should-retry')];
};

/** A body that tells how many chunks were asked of it, and whether it was cancelled. */
function countedBody(chunks: readonly string[], end: 'close' | 'error' | 'hang' = 'close') {
  const seen = { pulled: 0, isCancelled: false };
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        const chunk = chunks[seen.pulled];
        if (chunk !== undefined) {
          seen.pulled++;
          controller.enqueue(new TextEncoder().encode(chunk));
        } else if (end === 'close') controller.close();
        else if (end === 'error') controller.error(new Error('upstream broke'));
        else return new Promise<void>(() => {});
      },
      cancel: () => void (seen.isCancelled = true),
    },
    { highWaterMark: 0 },
  );
  return { body, seen };
}

test('a request reaches the router as it was sent, without its bearer, and the answer comes back whole', async () => {
  let asked: Request | undefined;
  const world = createWorld(async (request) => {
    asked = request;
    const { body } = countedBody(['data: 1\n\n', 'data: 2\n\n']);
    return new Response(body, {
      status: 201,
      headers: { 'content-type': 'text/event-stream', 'x-router-model': 'a/b:free' },
    });
  });
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'x-stainless-os': 'x',
  };
  const response = await world.ask(headers, { method: 'POST', body: '{"model":"free"}' });
  expect([response.status, response.headers.get('x-router-model')]).toEqual([201, 'a/b:free']);
  expect(await response.text()).toBe('data: 1\n\ndata: 2\n\n');
  expect([asked?.url, asked?.method, await asked?.text()]).toEqual([endpoint, 'POST', '{"model":"free"}']);
  expect([...asked!.headers]).toEqual([['content-type', 'application/json']]);
});

test('an answer without a body is one', async () => {
  const world = createWorld(async () => new Response(null, { status: 204 }));
  const response = await world.ask();
  expect([response.status, response.body]).toEqual([204, null]);
});

test('only paths under <base>/v1 are relayed', () => {
  const { worker } = createWorld(neverAsked);
  const isRelayed = (url: string) => worker().relay(new Request(url), 'tab-2') !== undefined;
  expect(
    [
      'https://host.test/app/v1',
      'https://host.test/app/v1/models',
      'https://host.test/app/v1/responses?a=b',
    ].map(isRelayed),
  ).toEqual([true, true, true]);
  expect(
    [
      'https://host.test/app/',
      'https://host.test/app/v10/models',
      'https://host.test/v1/models',
      'https://host.test/app/models/v1/x',
      'https://openrouter.ai/app/v1/models',
    ].map(isRelayed),
  ).toEqual([false, false, false, false, false]);
});

test('without the bearer of an open page, from no client of ours, or as a navigation: 403', async () => {
  const world = createWorld(neverAsked);
  const denied = [403, 'permission_denied', 'false'];
  for (const headers of [
    {},
    { authorization: 'Bearer sk-or-v1-abc' },
    { authorization: `Basic ${token}` },
    { authorization: `Bearer ${pageToken('page-9', 'secret')}` },
    { authorization: `Bearer ${pageToken('page-1', 'guess')}` },
    { authorization: `Bearer ${pageToken('', 'secret')}` },
  ]) {
    expect(await codeOf(await world.ask(headers))).toEqual(denied);
  }
  const request = new Request(endpoint, { headers: { authorization: `Bearer ${token}` } });
  expect(await codeOf(await world.worker().relay(request, 'stranger')!.response)).toEqual(denied);
  const navigation = new Proxy(request, {
    get: (target, key) => (key === 'mode' ? 'navigate' : (Reflect.get(target, key, target) as unknown)),
  });
  expect(await codeOf(await world.worker().relay(navigation, 'tab-2')!.response)).toEqual(denied);
});

test('a body over 32 MB is refused', async () => {
  const world = createWorld(neverAsked);
  const body = new Uint8Array(32 * 2 ** 20 + 1);
  expect(await codeOf(await world.ask(undefined, { method: 'POST', body }))).toEqual([
    413,
    'request_too_large',
    'false',
  ]);
});

test('the upstream is read as far as the client reads', async () => {
  const { body, seen } = countedBody(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
  const world = createWorld(async () => new Response(body));
  const reader = (await world.ask()).body!.getReader();
  await reader.read();
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(seen.pulled).toBeLessThanOrEqual(2); // one read, one waiting in the stream
});

test('a client that goes away in mid-stream closes the upstream', async () => {
  const { body, seen } = countedBody(['a'], 'hang');
  let signal: AbortSignal | undefined;
  const world = createWorld(async (request) => {
    signal = request.signal;
    return new Response(body);
  });
  const relayed = world
    .worker()
    .relay(new Request(endpoint, { headers: { authorization: `Bearer ${token}` } }), 'tab-2')!;
  const reader = (await relayed.response).body!.getReader();
  await reader.read();
  await reader.cancel();
  await expect.poll(() => [signal?.aborted, seen.isCancelled]).toEqual([true, true]);
  await relayed.settled;
});

test('an abort before the head ends the request and the upstream', async () => {
  let signal: AbortSignal | undefined;
  const world = createWorld((request) => {
    signal = request.signal;
    return new Promise((_, reject) =>
      request.signal.addEventListener('abort', () => reject(new Error('aborted'))),
    );
  });
  const controller = new AbortController();
  const asking = world.ask(undefined, { signal: controller.signal });
  await expect.poll(() => signal).toBeDefined();
  controller.abort();
  await expect(asking).rejects.toMatchObject({ name: 'AbortError' });
  await expect.poll(() => signal?.aborted).toBe(true);
});

test('a stream that breaks, and a page that ends, are errors for the client and never an end', async () => {
  const broken = createWorld(async () => new Response(countedBody(['a'], 'error').body));
  await expect((await broken.ask()).text()).rejects.toThrow('could not answer');

  const left = createWorld(async () => new Response(countedBody(['a'], 'hang').body));
  const reader = (await left.ask()).body!.getReader();
  expect((await reader.read()).done).toBe(false);
  left.dispose();
  await expect(reader.read()).rejects.toThrow('could not answer');

  const closed = createWorld(async () => new Response(countedBody(['a'], 'hang').body));
  const other = (await closed.ask()).body!.getReader();
  await other.read();
  closed.living.delete('page-1');
  closed.tick(); // where the browser does not tell that a port's page is gone
  await expect(other.read()).rejects.toThrow('does not answer');
});

test('a router that throws is an error with a status, without its words', async () => {
  const world = createWorld(async () => {
    throw new Error('sk-or-v1-secret');
  });
  const response = await world.ask();
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('secret');
});

test('a page that does not take the request is given up', async () => {
  const world = createWorld(neverAsked, true);
  const asking = world.ask();
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    world.tick();
  }
  expect(await codeOf(await asking)).toEqual([503, 'page_unreachable', 'false']);
});

test('a worker that was stopped in between lets the page close the upstream, and takes the next request', async () => {
  const { body, seen } = countedBody(['a'], 'hang');
  const answers = [new Response(body), new Response('whole')];
  const world = createWorld(async () => answers.shift()!);
  await (await world.ask()).body!.getReader().read();
  world.restart();
  world.tick(); // pings, and the new worker knows nothing of that request
  await expect.poll(() => seen.isCancelled).toBe(true);
  expect(await (await world.ask()).text()).toBe('whole');
});

test('a page that says hello is claimed and told its id', async () => {
  const world = createWorld(neverAsked);
  const { port1, port2 } = new MessageChannel();
  const welcome = new Promise((resolve) => (port1.onmessage = ({ data }) => resolve(data)));
  await world.worker().hear({ kind: 'relay-hello' }, { id: 'page-1', postMessage: () => {} }, port2);
  expect([await welcome, world.claims()]).toEqual([{ pageId: 'page-1' }, 1]);
  port1.close();
});
