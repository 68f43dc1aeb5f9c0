// Programs outside the browser against the endpoint as `vite preview` has it: the real openai clients, Python's, curl, the AI SDK's
// provider for OpenRouter, each with its own retries.
import { createOpenRouter } from '@openrouter/ai-sdk-provider';
import { generateText, streamText } from 'ai';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { readAnswer } from '../../src/router/testing/checked-answer';
import { describeClients } from '../../src/router/testing/client-suite';
import { embed } from '../../src/router/testing/openrouter-mock/embeddings';
import { errorCases } from '../../src/router/testing/openrouter-mock/error-cases';
import { openEndpoint, type Door, type OpenEndpoint } from './testing/open-endpoint';

const run = promisify(execFile);
vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0'); // the mock signs for itself

let endpoint: OpenEndpoint;
beforeAll(async () => {
  endpoint = await openEndpoint();
});
afterAll(() => endpoint.close());
afterEach(() => vi.unstubAllGlobals());

describeClients('the endpoint of the preview server', () => endpoint.newDoor());

const answers = (command: string, ...args: readonly string[]) =>
  run(command, args).then(
    () => true,
    () => false,
  );
const python = process.env['PYTHON'] || 'python3';
const hasPython = await answers(python, '-c', 'import openai');
const hasCurl = await answers('curl', '--version');

// Its name says why it is skipped where it is: set PYTHON to an interpreter that has the package.
test.skipIf(!hasPython)('Python’s openai (needs `import openai` to work in $PYTHON or python3)', async () => {
  const { mock, baseURL, apiKey } = endpoint.newDoor();
  const call = { id: 'call_1', name: 'weather', arguments: '{"city":"Łódź"}' };
  const plain = { kind: 'answer' } as const;
  mock.script.next(plain, plain, { kind: 'answer', answer: { toolCalls: [call] } });
  mock.script.always(errorCases['E17-day']);
  mock.script.always(plain, 'embed/small-embed:free');
  const env = { ...process.env, OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: apiKey };
  const { stdout } = await run(python, [join(import.meta.dirname, 'testing/client.py')], { env });
  const got = JSON.parse(stdout) as Record<string, unknown>;
  const [first, second] = mock.calls.map(({ model }) => model);
  expect(first).toMatch(/^acme\//);
  expect(got).toMatchObject({
    whole: `Hello from ${first} today.`,
    streamed: `Hello from ${second} today.`,
    tokens: 16,
    calls: [[call.name, call.arguments]],
    models: expect.arrayContaining(['free', 'delta/everything:free']) as string[],
    model: 'acme/plain-8b:free',
    vector: embed('embed/small-embed:free', 'one').map((value) => expect.closeTo(value, 5) as number),
    image: 'model_not_available',
    day: 'insufficient_quota',
  });
  expect(mock.calls).toHaveLength(5);
});

describe.skipIf(!hasCurl)('curl', () => {
  const body = (more: object = {}) =>
    JSON.stringify({ model: 'free', messages: [{ role: 'user', content: 'Hi' }], ...more });
  const curl = async ({ baseURL, apiKey }: Door, path: string, ...args: string[]) => {
    const write = ['--write-out', '\n%{http_code} %{content_type} %header{x-request-id}'];
    const auth = ['-H', `Authorization: Bearer ${apiKey}`, '-H', 'Content-Type: application/json'];
    const { stdout } = await run('curl', ['-sN', ...write, ...auth, ...args, `${baseURL}${path}`]);
    const [, text = '', status, type = '', id = ''] = /^([^]*)\n(\d+) (.*) (\S*)$/.exec(stdout) ?? [];
    const headers = { 'content-type': type, 'x-request-id': id, 'x-should-retry': 'false' };
    return new Response(text, { status: Number(status), headers });
  };

  test('a whole answer and a stream', async () => {
    const door = endpoint.newDoor();
    const whole = await readAnswer(await curl(door, '/chat/completions', '-d', body()));
    expect(whole.content).toBe(`Hello from ${door.mock.calls[0]?.model} today.`);
    const stream = await curl(door, '/chat/completions', '-d', body({ stream: true }));
    expect(stream.headers.get('content-type')).toContain('text/event-stream');
    expect((await readAnswer(stream)).finish).toBe('stop');
  });

  test('other paths are 404 in JSON, a wrong key is told', async () => {
    const door = endpoint.newDoor();
    for (const path of ['/responses', '/completions']) {
      const answer = await readAnswer(await curl(door, path, '-d', body()));
      expect([answer.status, answer.error?.message]).toEqual([
        404,
        expect.stringContaining('chat.completions') as string,
      ]);
    }
    const wrong = { ...door, apiKey: 'sk-or-v1-wrong' };
    expect((await readAnswer(await curl(wrong, '/chat/completions', '-d', body()))).error?.code).toBe(
      'invalid_api_key',
    );
    expect(door.mock.calls.length).toBeLessThanOrEqual(1); // none where the key's own facts told it before
  });
});

describe('the AI SDK’s provider for OpenRouter', () => {
  const model = ({ baseURL, apiKey }: Door, id = 'free') => createOpenRouter({ baseURL, apiKey }).chat(id);
  const prompt = 'Say hello.';

  test('a whole answer and a stream', async () => {
    const door = endpoint.newDoor();
    const { text } = await generateText({ model: model(door), prompt });
    expect(text).toBe(`Hello from ${door.mock.calls[0]?.model} today.`);
    let streamed = '';
    for await (const part of streamText({ model: model(door), prompt }).textStream) streamed += part;
    expect(streamed).toBe(`Hello from ${door.mock.calls[1]?.model} today.`);
  });

  test.each(['E17-day', 'E21-503'] as const)(
    '%s: its own retries cost no more than four requests',
    async (name) => {
      const { setTimeout } = globalThis;
      // It waits 2 and 4 s between its tries; the router's own deadlines look at the clock and go on waiting.
      vi.stubGlobal('setTimeout', (wake: () => void, ms = 0, ...rest: []) =>
        setTimeout(wake, Math.min(ms, 20), ...rest),
      );
      const door = endpoint.newDoor();
      door.mock.script.always(errorCases[name]);
      await expect(generateText({ model: model(door), prompt })).rejects.toThrow();
      expect(door.mock.calls.length).toBe(name === 'E17-day' ? 1 : 4);
      const problems: unknown[] = [];
      const onError = ({ error }: { error: unknown }) => void problems.push(error);
      await streamText({ model: model(door), prompt, onError }).consumeStream();
      expect(problems.length).toBeGreaterThan(0);
      expect(door.mock.calls.length).toBe(name === 'E17-day' ? 1 : 8); // another body: streamed
    },
  );
});
