import { describe, expect, it } from 'vitest';
import type { RouterStore } from '../store';
import {
  chunk,
  createBench,
  createMemoryStore,
  errorOf,
  eventsOf,
  failing,
  goodEvents,
  jsonOf,
  liveSse,
  modelEntry,
  sse,
  toSse,
} from '../testing/scripted-upstream';

const vision = { architecture: { input_modalities: ['text', 'image'], output_modalities: ['text'] } };
const models = [
  modelEntry('a/plain-7b:free', { supported_parameters: ['max_tokens'] }),
  modelEntry('b/eyes-12b:free', { ...vision, supported_parameters: ['max_tokens'] }),
  modelEntry('c/tools-70b:free', { supported_parameters: ['max_tokens', 'tools', 'tool_choice'] }),
  modelEntry('d/schema:free', {
    supported_parameters: ['max_tokens', 'response_format', 'structured_outputs'],
  }),
  modelEntry('e/long-400b-a20b:free', {
    context_length: 1_000_000,
    top_provider: null,
    supported_parameters: [],
  }),
];
const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
const tool = { type: 'function', function: { name: 'f', parameters: { type: 'object' } } };
const schema = {
  type: 'json_schema',
  json_schema: {
    name: 'n',
    schema: { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] },
  },
};

/** The models that a body reaches, over some requests. */
async function reached(body: Record<string, unknown>): Promise<readonly string[]> {
  const bench = createBench(() => sse(goodEvents('{"a":1}')), models);
  for (let i = 0; i < 15; i++) await bench.chat(body);
  return [...new Set(bench.chats.map((sent) => sent.body['model'] as string))].sort();
}

describe('what a request needs decides who is asked', () => {
  it.each<[string, Record<string, unknown>, readonly string[]]>([
    [
      'images',
      { messages: [{ role: 'user', content: [{ type: 'text', text: 'what?' }, image] }] },
      ['b/eyes-12b:free'],
    ],
    ['free:vision', { model: 'free:vision' }, ['b/eyes-12b:free']],
    ['tools', { tools: [tool] }, ['c/tools-70b:free']],
    ['free:tools', { model: 'free:tools' }, ['c/tools-70b:free']],
    ['a schema', { response_format: schema }, ['d/schema:free']],
    ['free:json', { model: 'free:json' }, ['d/schema:free']],
    ['free:long', { model: 'free:long' }, ['e/long-400b-a20b:free']],
    [
      'a long prompt',
      { messages: [{ role: 'user', content: 'x'.repeat(200_000) }] },
      ['e/long-400b-a20b:free'],
    ],
    ['context', { router: { context: 100_000 } }, ['e/long-400b-a20b:free']],
    [
      'parameters',
      { router: { parameters: { min: 50, known: true } } },
      ['c/tools-70b:free', 'e/long-400b-a20b:free'],
    ],
    ['unknown parameters pass', { router: { parameters: { min: 500 } } }, ['d/schema:free']],
    [
      'authors and exclude',
      { router: { authors: ['a', 'b'], exclude: ['b/eyes-12b:free'] } },
      ['a/plain-7b:free'],
    ],
    [
      'weights',
      { router: { weights: { 'a/plain-7b:free': 0, 'b/eyes-12b:free': 0, 'c/tools-70b:free': 0 } } },
      ['d/schema:free', 'e/long-400b-a20b:free'],
    ],
  ])('%s', async (_, body, expected) => {
    expect(await reached(body)).toEqual(expected);
  });

  it('stays with a model in a conversation until it fails, and repeats a seed', async () => {
    let broken = '';
    const bench = createBench(
      (sent) => (sent.body['model'] === broken ? failing(502, { message: 'x' }) : sse()),
      models,
    );
    const ask = async () => (await bench.chat({ router: { sticky: 'talk' } })).headers.get('x-router-model')!;
    const first = await ask();
    expect([await ask(), await ask(), await ask()]).toEqual([first, first, first]);
    broken = first;
    const second = await ask();
    expect(second).not.toBe(first);
    broken = '';
    expect(await ask()).toBe(second);

    const seeded = await Promise.all(
      [7, 7, 7].map(async (seed) =>
        (
          await createBench(() => sse(), models, { random: Math.random }).chat({ router: { seed } })
        ).headers.get('x-router-model'),
      ),
    );
    expect(new Set(seeded).size).toBe(1);
  });

  it('says what no free model can do', async () => {
    const bench = createBench(() => sse(), models);
    const both = await bench.chat({ tools: [tool], response_format: schema });
    expect([both.status, (await errorOf(both))['message']]).toEqual([
      503,
      'No free model has all that the request needs (lacking: tools, JSON output).',
    ]);
    const exact = await bench.chat({ model: 'a/plain-7b:free', tools: [tool] });
    expect([exact.status, (await errorOf(exact))['param']]).toEqual([400, 'model']);
  });
});

describe('context', () => {
  const long = ['first', 'second', 'third'].flatMap((text) => [
    { role: 'user', content: `${text} ${'x'.repeat(60_000)}` },
    { role: 'assistant', content: 'ok' },
  ]);
  const messages = [{ role: 'system', content: 'be brief' }, ...long, { role: 'user', content: 'now' }];
  const small = models.slice(0, 4);

  it('refuses what no model holds, or trims and says how much', async () => {
    const bench = createBench(() => sse(), small);
    const response = await bench.chat({ messages });
    expect([response.status, (await errorOf(response))['code']]).toEqual([400, 'context_length_exceeded']);
    const trimmed = await bench.chat({ messages, router: { overflow: 'trim' } });
    expect([trimmed.status, trimmed.headers.get('x-router-dropped')]).toEqual([200, 'messages=4']);
    expect(bench.chats[0]!.body['messages']).toEqual([messages[0], messages[5], messages[6], messages[7]]);
  });

  it('hops to a larger context only, when a model finds the conversation too long', async () => {
    const tooLong = () =>
      failing(400, { message: "This endpoint's maximum context length is 10 tokens.", metadata: {} });
    const bench = createBench(
      (sent) => (sent.body['model'] === 'e/long-400b-a20b:free' ? sse() : tooLong()),
      models,
    );
    for (let i = 0; i < 5; i++) expect((await bench.chat()).status).toBe(200);
    expect(bench.chats.length).toBeLessThanOrEqual(10);
    const none = createBench(tooLong, small);
    const response = await none.chat();
    expect([response.status, none.chats.length]).toEqual([400, 1]);
  });
});

describe('mapping', () => {
  it('turns functions into tools and back-fills what older clients send', async () => {
    const bench = createBench(() => sse(), [modelEntry('c/tools:free')]);
    await bench.chat({
      messages: [
        { role: 'developer', content: 'be brief' },
        { role: 'user', content: 'weather?' },
        { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
        { role: 'function', name: 'f', content: 'sun' },
      ],
      functions: [{ name: 'f', parameters: {} }],
      function_call: { name: 'f' },
      max_tokens: 10,
    });
    expect(bench.chats[0]!.body).toMatchObject({
      messages: [
        { role: 'system', content: 'be brief' },
        { role: 'user', content: 'weather?' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'call_2', type: 'function', function: { name: 'f' } }],
        },
        { role: 'tool', tool_call_id: 'call_2', content: 'sun' },
      ],
      tools: [{ type: 'function', function: { name: 'f' } }],
      tool_choice: { type: 'function', function: { name: 'f' } },
      max_tokens: 10,
    });
  });

  it('reads PDF files with the free engine only, and rebuilds provider', async () => {
    const bench = createBench(() => sse(), [models[0]!]);
    const file = {
      type: 'file',
      file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA', extra: 1 },
    };
    await bench.chat({
      messages: [{ role: 'user', content: [{ type: 'text', text: 'read' }, file] }],
      provider: { only: ['P'], zdr: false, max_price: { prompt: 1 }, evil: true },
    });
    expect(bench.chats[0]!.body).toMatchObject({
      plugins: [
        { id: 'web', enabled: false },
        { id: 'file-parser', pdf: { engine: 'cloudflare-ai' } },
      ],
      provider: { only: ['P'], zdr: false },
    });
    expect(Object.keys(bench.chats[0]!.body['provider'] as object)).toEqual(['only', 'zdr']);
  });

  it('gives parallel tool calls one index, id and name each', async () => {
    const call = (
      index: number | undefined,
      id: string | undefined,
      name: string | undefined,
      part: string,
    ) =>
      chunk({
        role: 'assistant',
        content: '',
        tool_calls: [{ index, id, type: 'function', function: { name, arguments: part } }],
      });
    const events = [
      call(0, 'call_a', 'f', ''),
      call(0, 'call_a', 'f', '{"x":'),
      call(0, undefined, undefined, '1}'),
      call(1, 'call_b', 'g', '{}'),
      chunk({ content: '' }, { finish_reason: 'stop' }),
      '[DONE]',
    ];
    const bench = createBench(() => sse(events), [modelEntry('c/tools:free')]);
    expect(await jsonOf(await bench.chat({ tools: [tool] }))).toMatchObject({
      choices: [
        {
          finish_reason: 'tool_calls',
          message: {
            content: null,
            tool_calls: [
              { id: 'call_a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
              { id: 'call_b', type: 'function', function: { name: 'g', arguments: '{}' } },
            ],
          },
        },
      ],
    });
    const streamed = eventsOf(await (await bench.chat({ tools: [tool], stream: true })).text());
    const deltas = streamed.flatMap((event) =>
      event === '[DONE]'
        ? []
        : ((event as { choices: { delta: { tool_calls?: unknown[] } }[] }).choices[0]!.delta.tool_calls ??
          []),
    );
    expect(deltas).toEqual([
      { index: 0, id: 'call_a', type: 'function', function: { name: 'f', arguments: '' } },
      { index: 0, function: { arguments: '{"x":' } },
      { index: 0, function: { arguments: '1}' } },
      { index: 1, id: 'call_b', type: 'function', function: { name: 'g', arguments: '{}' } },
    ]);
  });
});

describe('JSON schema', () => {
  const two = [modelEntry('a/m:free'), modelEntry('b/m:free'), modelEntry('c/m:free')];

  it('hops once when an answer does not fit, and takes it out of a code fence', async () => {
    const bench = createBench(
      (_, attempt) => sse(goodEvents(attempt === 1 ? '{"a":"no"}' : '```json\n{"a":1}\n```')),
      two,
    );
    const response = await bench.chat({ response_format: schema });
    expect(await jsonOf(response)).toMatchObject({ choices: [{ message: { content: '{"a":1}' } }] });
    expect(response.headers.get('x-router-attempts')).toBe('2');
  });

  it('gives up after the second', async () => {
    const bench = createBench(() => sse(goodEvents('no JSON')), two);
    const response = await bench.chat({ response_format: schema });
    expect([response.status, (await errorOf(response))['code'], bench.chats.length]).toEqual([
      503,
      'schema_mismatch',
      2,
    ]);
  });
});

describe('the wire', () => {
  it('reads any cut of the bytes, and CRLF', async () => {
    const text = toSse([': OPENROUTER PROCESSING', ...goodEvents('Grüße 👋')]);
    for (const whole of [text, text.replaceAll('\n', '\r\n')]) {
      const bytes = new TextEncoder().encode(whole);
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
          controller.close();
        },
      });
      const bench = createBench(
        () => new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
        [models[0]!],
      );
      expect(await jsonOf(await bench.chat())).toMatchObject({
        choices: [{ message: { content: 'Grüße 👋' } }],
      });
    }
  });

  it('takes a whole JSON answer for a stream', async () => {
    const answer = { choices: [{ message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }] };
    const bench = createBench(() => Response.json(answer), [models[0]!]);
    const events = eventsOf(await (await bench.chat({ stream: true })).text());
    expect(events).toHaveLength(3);
    expect(events[0]).toMatchObject({ choices: [{ delta: { content: 'Hello' } }] });
  });

  it('carries a hundred streams at once without loss', async () => {
    const words = Array.from({ length: 50 }, (_, i) => `w${i} `);
    const memory = createMemoryStore();
    const store: RouterStore = {
      get: async (key) => (key.startsWith('account:') ? undefined : memory.get(key)), // no limit of the account
      update: async (key, change) =>
        key.startsWith('account:') ? change(undefined) : memory.update(key, change),
    };
    const bench = createBench(
      (sent) => {
        const [message] = sent.body['messages'] as { content: string }[];
        async function* parts() {
          for (const word of words) yield toSse([chunk({ content: message!.content + word })]);
          yield toSse(goodEvents('.').slice(1));
        }
        return liveSse(parts());
      },
      models,
      {
        store,
        now: () => Date.now(), // nothing here waits
        sleep: (_, signal) =>
          new Promise((__, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
      },
    );
    const texts = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const messages = [{ role: 'user', content: `${i}:` }];
        const body = JSON.stringify({ stream: true, messages });
        const response = await bench.router.fetch('https://router.invalid/v1/chat/completions', {
          method: 'POST',
          body,
        });
        return eventsOf(await response.text())
          .slice(0, -2)
          .map((event) => (event as { choices: { delta: { content: string } }[] }).choices[0]!.delta.content)
          .join('');
      }),
    );
    expect(texts).toEqual(texts.map((_, i) => words.map((word) => `${i}:${word}`).join('')));
  });
});
