// Every rule of the endpoint on a real server of Node, asked over real sockets, and its place in Vite's own servers.
import { mkdtempSync, writeFileSync } from 'node:fs';
import {
  createServer,
  request as startRequest,
  type IncomingMessage,
  type RequestOptions,
  type Server,
} from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { createLogger, createServer as createViteServer, preview } from 'vite';
import { afterEach, expect, test } from 'vitest';
import { pageToken } from '../../src/router/relay/page-token.ts';
import { handle, type EndpointOptions } from './handler.ts';
import { openaiEndpoint } from './plugin.ts';

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
const json = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };

const closings: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0)) await close();
});

/** A router that notes what it was asked and answers as the test says. */
function handRouter(
  answer: (asked: Asked) => Response | Promise<Response> = ({ url }) => Response.json({ url }),
) {
  const asked: Asked[] = [];
  const routerFor: EndpointOptions['routerFor'] = (usedKey) => ({
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

type Answer = { readonly status: number; readonly headers: Record<string, unknown>; readonly text: string };

/** A request with exactly these headers: fetch would refuse to set Host, Origin and Sec-Fetch-Site. */
function ask(
  port: number,
  path: string,
  options: RequestOptions = {},
  body?: string | Uint8Array,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = startRequest({ host: '127.0.0.1', port, path, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
      response.on('error', reject);
    });
    sent.on('error', reject).end(body);
  });
}

const codeOf = ({ status, headers, text }: Answer) => {
  const { error } = JSON.parse(text) as {
    readonly error: { readonly code: string; readonly message: string };
  };
  expect(headers['content-type']).toBe('application/json');
  expect(headers['x-should-retry']).toBe('false');
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

/** A folder with a page, and the plugin's settings for it. */
function viteProject(environment = {}) {
  const root = mkdtempSync(join(tmpdir(), 'endpoint-'));
  writeFileSync(join(root, 'index.html'), '<title>the page</title>');
  const { asked, routerFor } = handRouter(({ url }) =>
    url.endsWith('/models') ? Response.json({ data: [] }) : Response.json({ error: {} }, { status: 404 }),
  );
  const lines: string[] = [];
  const logger = createLogger('info');
  logger.info = (line) => void lines.push(line);
  const settings = {
    root,
    configFile: false as const,
    customLogger: logger,
    plugins: [openaiEndpoint({ routerFor, environment })],
  };
  return { settings, asked, lines };
}

test('in the development server it stands before Vite: no CORS, no page at an unknown path', async () => {
  const { settings, lines } = viteProject({ OPENROUTER_API_KEY: lent.key });
  const server = await createViteServer({ ...settings, server: { port: 0, host: '127.0.0.1', cors: true } });
  closings.push(() => server.close());
  await server.listen();
  const { port } = server.httpServer!.address() as AddressInfo;
  const local = `http://localhost:${port}`;
  const page = await ask(port, '/anything', { headers: { accept: 'text/html', origin: local } });
  expect([page.status, page.headers['access-control-allow-origin']]).toEqual([200, '*']); // Vite's own
  for (const path of ['/v1/responses', '/v1/completions', '/v1', '/v1/', '/V1/x', '/v1/../index.html']) {
    const answer = await ask(port, path, { headers: { ...json, accept: 'text/html' } });
    expect([path, answer.status, answer.text, answer.headers['access-control-allow-origin']]).toEqual([
      path,
      404,
      '{"error":{}}',
      undefined,
    ]);
  }
  const models = await ask(port, '/v1/models', { headers: { ...json, origin: `http://127.0.0.1:${port}` } });
  expect([models.status, models.headers['access-control-allow-origin']]).toEqual([200, undefined]);
  const preflight = {
    method: 'OPTIONS',
    headers: { origin: local, 'access-control-request-method': 'POST' },
  };
  expect((await ask(port, '/v1/models', preflight)).status).toBe(403);

  const printed = lines.join('\n');
  expect(printed).toContain(`http://127.0.0.1:${port}/v1`);
  expect(printed).not.toContain(lent.key);
  const bearer = /likeness-server\.[\w-]{43}/.exec(printed)?.[0];
  expect((await ask(port, '/v1/models', { headers: { authorization: `Bearer ${bearer}` } })).status).toBe(
    200,
  );
});

test('in the preview server too, where without OPENROUTER_API_KEY nothing is lent', async () => {
  const { settings, lines, asked } = viteProject();
  writeFileSync(join(settings.root, 'v1'), 'a file of this name is not served');
  const server = await preview({
    ...settings,
    build: { outDir: '.' },
    preview: { port: 0, host: '127.0.0.1' },
  });
  closings.push(() => server.close());
  const { port } = server.httpServer.address() as AddressInfo;
  expect((await ask(port, '/v1/models', { headers: json })).text).toBe('{"data":[]}');
  expect((await ask(port, '/v1', { headers: json })).status).toBe(404);
  expect(lines.join('\n')).toContain('your OpenRouter key');
  expect(lines.join('\n')).not.toContain('likeness-server');
  expect(asked.map(({ key: used }) => used)).toEqual([key, key]);
});
