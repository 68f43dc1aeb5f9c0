// Every rule of the endpoint on a real server of Node, asked over real sockets.
import {
  createServer,
  request as startRequest,
  type IncomingMessage,
  type RequestOptions,
  type Server,
} from 'node:http';
import { networkInterfaces } from 'node:os';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { pageToken } from '../../src/router/relay/page-token.ts';
import { handle, type EndpointOptions } from './handler.ts';
import { ask, jsonHeaders, type Answer } from './testing/ask.ts';

type Asked = {
  readonly key: string;
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  readonly signal: AbortSignal;
};

const key = 'sk-or-v1-0123abcd';
const lent = { key: 'sk-or-v1-of-the-environment', bearer: 'likeness-server.random' };
const json = jsonHeaders(key);

const closings: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0)) await close();
});

/** A router that notes what it was asked and answers as the test says. */
function handRouter(
  answer: (asked: Asked) => Response | Promise<Response> = ({ url }) => Response.json({ url }),
) {
  const asked: Asked[] = [];
  const routerFor: EndpointOptions['routerFor'] = async (usedKey) => ({
    fetch: async (request) => {
      const { method, url, signal } = request;
      asked.push({
        key: usedKey,
        method,
        url,
        headers: [...request.headers],
        body: await request.text(),
        signal,
      });
      return answer(asked.at(-1)!);
    },
  });
  return { asked, routerFor };
}

async function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  closings.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function serve(routerFor: EndpointOptions['routerFor'], host?: string): Promise<number> {
  return listen(
    createServer((request, response) => void handle(request, response, { lent, routerFor })),
    host,
  );
}

const codeOf = ({ status, headers, text }: Answer) => {
  const { error } = JSON.parse(text) as {
    readonly error: { readonly code: string; readonly message: string };
  };
  expect(headers['content-type']).toBe('application/json');
  expect(headers['x-should-retry']).toBe('false');
  expect(headers['x-request-id']).toMatch(/^req-/);
  return [status, error.code, error.message] as const;
};

const post = (headers: Record<string, string> = {}): RequestOptions => ({
  method: 'POST',
  headers: { ...json, ...headers },
});

test('a request reaches the router with its key, body and path, and with no other header', async () => {
  const { asked, routerFor } = handRouter(() =>
    Response.json({ ok: true }, { status: 202, headers: { 'x-router-model': 'a/b:free' } }),
  );
  const port = await serve(routerFor);
  const sent = post({ 'x-stainless-os': 'Linux', 'user-agent': 'OpenAI/Python', host: `localhost:${port}` });
  const answer = await ask(port, '/v1/chat/completions?x=1', sent, '{"model":"free"}');
  expect([answer.status, answer.text, answer.headers['x-router-model']]).toEqual([
    202,
    '{"ok":true}',
    'a/b:free',
  ]);
  expect(asked).toMatchObject([
    { key, method: 'POST', url: 'http://localhost/v1/chat/completions?x=1', body: '{"model":"free"}' },
  ]);
  expect(asked[0]!.headers).toEqual([['content-type', 'application/json']]);
  expect((await ask(port, '/v1/models/a%2Fb:free', { headers: json })).status).toBe(202);
  expect(asked[1]).toMatchObject({ method: 'GET', url: 'http://localhost/v1/models/a%2Fb:free', body: '' });
});

test('the key of the environment is lent to the printed bearer only', async () => {
  const { asked, routerFor } = handRouter();
  const port = await serve(routerFor);
  const withBearer = (authorization: string) => ask(port, '/v1/models', { headers: { authorization } });
  expect((await withBearer(`Bearer ${lent.bearer}`)).status).toBe(200);
  expect(asked.map(({ key: used }) => used)).toEqual([lent.key]);
  for (const bearer of [
    'Bearer x',
    `Bearer ${lent.bearer}x`,
    `Basic ${lent.bearer}`,
    'Bearer sk-or-',
    'Bearer sk-or-a/../b',
  ])
    expect(codeOf(await withBearer(bearer)).slice(0, 2)).toEqual([401, 'invalid_api_key']);
  expect(codeOf(await ask(port, '/v1/models'))[0]).toBe(401);
  expect(asked).toHaveLength(1);
});

test('the token of a page gets the advice to reload it', async () => {
  const { asked, routerFor } = handRouter();
  const port = await serve(routerFor);
  const authorization = `Bearer ${pageToken('0f8c', 'secret')}`;
  const [status, , message] = codeOf(await ask(port, '/v1/models', { headers: { authorization } }));
  expect([status, message]).toEqual([401, expect.stringContaining('reload the page')]);
  expect(asked).toEqual([]);
});

test('only this machine: a peer of another address is refused', async () => {
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === 'IPv4' && !one.internal)?.address;
  const { asked, routerFor } = handRouter();
  const port = await serve(routerFor, '0.0.0.0');
  const headers = { ...json, host: 'localhost' };
  if (outside !== undefined) {
    // The own address of this machine as the peer: what another machine's would look like.
    const answer = await ask(port, '/v1/models', { host: outside, localAddress: outside, headers });
    expect(codeOf(answer).slice(0, 2)).toEqual([403, 'permission_denied']);
    expect(asked).toEqual([]);
  }
  expect((await ask(port, '/v1/models', { headers })).status).toBe(200);
});

test('a host that is not this machine is refused, whatever it resolves to', async () => {
  const { routerFor } = handRouter();
  const port = await serve(routerFor);
  const statusOf = async (host: string) =>
    (await ask(port, '/v1/models', { headers: { ...json, host } })).status;
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, 'LOCALHOST'])
    expect([host, await statusOf(host)]).toEqual([host, 200]);
  for (const host of [
    'evil.test',
    `evil.test:${port}`,
    'localhost.evil.test',
    '127.0.0.1.evil.test',
    '10.0.0.1',
  ])
    expect([host, await statusOf(host)]).toEqual([host, 403]);
});

test('a page of another origin is refused, the own page is not', async () => {
  const { routerFor } = handRouter();
  const port = await serve(routerFor);
  const statusOf = async (headers: Record<string, string>) =>
    (await ask(port, '/v1/chat/completions', post(headers), '{}')).status;
  const own = `http://127.0.0.1:${port}`;
  expect(await statusOf({ origin: own, 'sec-fetch-site': 'same-origin' })).toBe(200);
  for (const origin of [
    'https://evil.test',
    `http://localhost:${port}`,
    'http://127.0.0.1:1',
    'null',
    `${own}.evil.test`,
  ])
    expect([origin, await statusOf({ origin })]).toEqual([origin, 403]);
  expect(await statusOf({ 'sec-fetch-site': 'cross-site' })).toBe(403);
  expect(await statusOf({ 'sec-fetch-site': 'same-site' })).toBe(403);
  const preflight = {
    method: 'OPTIONS',
    headers: { origin: 'https://evil.test', 'access-control-request-method': 'POST' },
  };
  const answer = await ask(port, '/v1/chat/completions', preflight);
  expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([403, undefined]);
});

test('a POST is JSON by its type, and other methods are none', async () => {
  const { asked, routerFor } = handRouter();
  const port = await serve(routerFor);
  const statusOf = async (type: string) =>
    (await ask(port, '/v1/chat/completions', post({ 'content-type': type }), '{}')).status;
  for (const type of ['application/json', 'Application/JSON; charset=utf-8'])
    expect(await statusOf(type)).toBe(200);
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'application/jsonp',
    '',
  ])
    expect([type, await statusOf(type)]).toEqual([type, 415]);
  for (const method of ['PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'])
    expect([method, (await ask(port, '/v1/models', { method, headers: json })).status]).toEqual([
      method,
      405,
    ]);
  expect(asked).toHaveLength(2);
});

test('a body of 32 MB is taken, one byte more is not, and its sender hears why', async () => {
  const { asked, routerFor } = handRouter();
  const port = await serve(routerFor);
  const body = new Uint8Array(32 * 2 ** 20 + 1).fill(0x20);
  expect(codeOf(await ask(port, '/v1/chat/completions', post(), body)).slice(0, 2)).toEqual([
    413,
    'request_too_large',
  ]);
  expect((await ask(port, '/v1/chat/completions', post(), body.subarray(1))).status).toBe(200);
  expect(asked.map(({ body: text }) => text.length)).toEqual([32 * 2 ** 20]);
});

test('a local model is refused with the reason, by its name only', async () => {
  const { routerFor } = handRouter();
  const port = await serve(routerFor);
  const send = (body: unknown) => ask(port, '/v1/images/generations', post(), JSON.stringify(body));
  const [status, code, message] = codeOf(await send({ model: 'likeness/pomlo', prompt: 'x' }));
  expect([status, code, message]).toEqual([400, 'model_not_available', expect.stringContaining('open page')]);
  expect((await send({ model: 'free', prompt: 'what is likeness/pomlo?' })).status).toBe(200);
  expect((await ask(port, '/v1/chat/completions', post(), '{"model": "likeness/')).status).toBe(200);
});

/** A stream that goes on for ever and tells how far it was read. */
function endless() {
  const seen = { chunks: 0, isCancelled: false };
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      seen.chunks++;
      controller.enqueue(new Uint8Array(65536).fill(0x61));
    },
    cancel: () => void (seen.isCancelled = true),
  });
  return { seen, body };
}

/** Starts a request and hands out the response without reading it. */
function open(port: number) {
  return new Promise<IncomingMessage>((resolve, reject) => {
    startRequest({ host: '127.0.0.1', port, path: '/v1/models', headers: json }, resolve)
      .on('error', reject)
      .end();
  });
}

test('a client that does not read holds the upstream back; one that leaves closes it', async () => {
  const { seen, body } = endless();
  const { asked, routerFor } = handRouter(() => new Response(body));
  const port = await serve(routerFor);
  const response = await open(port);
  let before = -1;
  await expect
    .poll(
      () => {
        const isStill = seen.chunks === before;
        before = seen.chunks;
        return isStill;
      },
      { interval: 100 },
    )
    .toBe(true);
  expect(seen.chunks).toBeLessThan(400); // what the sockets of the kernel hold, far from for ever
  response.destroy();
  await expect.poll(() => [asked[0]!.signal.aborted, seen.isCancelled]).toEqual([true, true]);
});

test('a client that leaves before the answer aborts the router', async () => {
  const { asked, routerFor } = handRouter(
    ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
  );
  const port = await serve(routerFor);
  const sent = startRequest({ host: '127.0.0.1', port, path: '/v1/models', headers: json });
  sent.on('error', () => {}).end();
  await expect.poll(() => asked.length).toBe(1);
  sent.destroy();
  await expect.poll(() => asked[0]!.signal.aborted).toBe(true);
});

test('a stream that breaks is an error for the client, not an end', async () => {
  let isFirst = true;
  const { routerFor } = handRouter(
    () =>
      new Response(
        new ReadableStream<Uint8Array>({
          pull: (controller) => {
            if (isFirst) controller.enqueue(new TextEncoder().encode('data: 1\n\n'));
            else controller.error(new Error('broke'));
            isFirst = false;
          },
        }),
      ),
  );
  const port = await serve(routerFor);
  await expect(ask(port, '/v1/models', { headers: json })).rejects.toMatchObject({ code: 'ECONNRESET' });
});
