// The endpoint in Vite's own servers, with the real router and a small OpenRouter.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, createServer as createViteServer, preview } from 'vite';
import { afterEach, expect, test } from 'vitest';
import { openaiEndpoint } from './plugin.ts';
import { ask, jsonHeaders } from './testing/ask.ts';

const key = 'sk-or-v1-canary-of-the-environment';
const model = 'maker/small-4b:free';

const closings: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0)) await close();
});

const listed = {
  id: model,
  name: 'Small',
  created: 1,
  context_length: 8192,
  architecture: { input_modalities: ['text'], output_modalities: ['text'] },
  pricing: { prompt: '0', completion: '0' },
  top_provider: { context_length: 8192, max_completion_tokens: null },
  supported_parameters: ['max_tokens'],
};

/** OpenRouter with one free model that says "Hello", and what it was asked with. */
async function serveOpenRouter() {
  const seen: { readonly url: string; readonly authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const { url = '' } = request;
    seen.push({ url, authorization: request.headers.authorization });
    if (url.startsWith('/api/v1/models')) return response.end(JSON.stringify({ data: [listed] }));
    if (url !== '/api/v1/chat/completions')
      return response.writeHead(404).end('{"error":{"code":404,"message":"Not found"}}');
    const chunk = (delta: object, finish: string | null) =>
      `data: ${JSON.stringify({ id: 'gen-1', object: 'chat.completion.chunk', created: 1, model, choices: [{ index: 0, delta, finish_reason: finish }], usage: finish ? { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2, cost: 0 } : undefined })}\n\n`;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(
      `${chunk({ role: 'assistant', content: 'Hello' }, null)}${chunk({ content: '' }, 'stop')}data: [DONE]\n\n`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closings.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { seen, upstream: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1` };
}

/** A folder with a page, and settings that mount the plugin. */
function viteProject(upstream: string, environment: { readonly OPENROUTER_API_KEY?: string }) {
  const root = mkdtempSync(join(tmpdir(), 'endpoint-'));
  writeFileSync(join(root, 'index.html'), '<title>the page</title>');
  const lines: string[] = [];
  const customLogger = createLogger('info');
  for (const level of ['info', 'warn', 'error'] as const)
    customLogger[level] = (line) => void lines.push(line);
  const plugins = [openaiEndpoint({ upstream, environment })];
  return { settings: { root, configFile: false as const, customLogger, plugins }, lines };
}

test('in the development server it stands before Vite: no CORS, no page at an unknown path', async () => {
  const { upstream, seen } = await serveOpenRouter();
  const { settings, lines } = viteProject(upstream, { OPENROUTER_API_KEY: key });
  const server = await createViteServer({ ...settings, server: { port: 0, host: '127.0.0.1', cors: true } });
  closings.push(() => server.close());
  await server.listen();
  const { port } = server.httpServer!.address() as AddressInfo;
  const foreign = `http://localhost:${port}`;
  const page = await ask(port, '/anything', { headers: { accept: 'text/html', origin: foreign } });
  expect([page.status, page.headers['access-control-allow-origin']]).toEqual([200, '*']); // Vite's own

  const printed = lines.join('\n');
  expect(printed).toContain(`http://127.0.0.1:${port}/v1`);
  const bearer = /likeness-server\.[\w-]{43}/.exec(printed)![0];
  const headers = jsonHeaders(bearer);
  for (const path of ['/v1/responses', '/v1/completions', '/v1', '/v1/', '/V1/x', '/v1/../index.html']) {
    const answer = await ask(port, path, { headers: { ...headers, accept: 'text/html' } });
    expect([path, answer.status, answer.headers['access-control-allow-origin']]).toEqual([
      path,
      404,
      undefined,
    ]);
    expect(answer.text).toContain('chat.completions');
  }
  const preflight = {
    method: 'OPTIONS',
    headers: { origin: foreign, 'access-control-request-method': 'POST' },
  };
  expect((await ask(port, '/v1/models', preflight)).status).toBe(403);
  expect(seen).toEqual([]);

  const question = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] });
  const own = { ...headers, origin: `http://127.0.0.1:${port}` };
  const chat = await ask(port, '/v1/chat/completions', { method: 'POST', headers: own }, question);
  expect([chat.status, chat.headers['x-router-model'], chat.headers['access-control-allow-origin']]).toEqual([
    200,
    model,
    undefined,
  ]);
  expect(JSON.parse(chat.text)).toMatchObject({ choices: [{ message: { content: 'Hello' } }] });
  expect(seen.at(-1)).toMatchObject({ authorization: `Bearer ${key}` });
  expect([chat.text, JSON.stringify(chat.headers), ...lines].join()).not.toContain(key);
});

test('in the preview server too, where without OPENROUTER_API_KEY nothing is lent', async () => {
  const { upstream, seen } = await serveOpenRouter();
  const { settings, lines } = viteProject(upstream, {});
  writeFileSync(join(settings.root, 'v1'), 'a file of this name is not served');
  const server = await preview({
    ...settings,
    build: { outDir: '.' },
    preview: { port: 0, host: '127.0.0.1' },
  });
  closings.push(() => server.close());
  const { port } = server.httpServer.address() as AddressInfo;
  const headers = jsonHeaders('sk-or-v1-of-the-client');
  const models = await ask(port, '/v1/models', { headers });
  const ids = (JSON.parse(models.text) as { data: { id: string }[] }).data.map(({ id }) => id);
  expect(ids).toEqual(expect.arrayContaining(['free', model]));
  expect((await ask(port, '/v1', { headers })).status).toBe(404);
  expect(lines.join('\n')).toContain('your OpenRouter key');
  expect(lines.join('\n')).not.toContain('likeness-server');
  expect(seen).toContainEqual({
    url: '/api/v1/models/user',
    authorization: 'Bearer sk-or-v1-of-the-client',
  });
});
