import { describe, expect, it } from 'vitest';
import { pageHooks, type RouterEvent } from './page-hooks';
import {
  chunk,
  createBench,
  errorOf,
  eventsOf,
  failing,
  goodEvents,
  jsonOf,
  liveSse,
  modelEntry,
  sse,
  toSse,
} from './testing/scripted-upstream';

const two = [modelEntry('a/one-7b:free'), modelEntry('b/two-70b:free')];
const five = ['a', 'b', 'c', 'd', 'e'].map((author) => modelEntry(`${author}/m:free`));
const pool = () =>
  failing(429, {
    message: 'Provider returned error',
    metadata: {
      raw: 'x is temporarily rate-limited upstream',
      limit_source: 'upstream_provider_shared_pool',
    },
  });

describe('a chat', () => {
  it('answers with the folded stream of a free model, in the shape of OpenAI', async () => {
    const bench = createBench(() => sse(), two);
    const response = await bench.chat();
    expect(response.status).toBe(200);
    expect(response.headers.get('x-router-attempts')).toBe('1');
    const model = response.headers.get('x-router-model');
    expect(two.map(({ id }) => id)).toContain(model);
    const { id, created, ...answer } = await jsonOf(response);
    expect(id).toBe(response.headers.get('x-request-id'));
    expect(created).toBe(Math.floor(bench.clock.now() / 1000));
    expect(answer).toEqual({
      object: 'chat.completion',
      model,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 3,
        completion_tokens: 5,
        total_tokens: 8,
        prompt_tokens_details: { cached_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0 },
      },
    });
  });

  it('streams with one finish chunk, and usage with no choices only when asked', async () => {
    const bench = createBench(() => sse([': OPENROUTER PROCESSING', ...goodEvents()]), two);
    const plain = eventsOf(await (await bench.chat({ stream: true })).text());
    const choices = plain.slice(0, -1).flatMap((event) => (event as { choices: unknown[] }).choices);
    expect(choices).toEqual([
      { index: 0, delta: { role: 'assistant', content: 'Hello' }, finish_reason: null },
      { index: 0, delta: {}, finish_reason: 'stop' },
    ]);
    expect(plain.at(-1)).toBe('[DONE]');
    const counted = eventsOf(
      await (await bench.chat({ stream: true, stream_options: { include_usage: true } })).text(),
    );
    expect(counted.at(-2)).toMatchObject({ choices: [], usage: { total_tokens: 8 } });
  });

  it('sends its own headers and a body built field by field', async () => {
    const bench = createBench(() => sse(), [two[0]!], {
      title: 'Likeness',
      referer: 'https://likeness.test',
    });
    const response = await bench.chat(
      {
        temperature: 0.5,
        top_k: 3,
        user: 'me',
        weird: 1,
        max_completion_tokens: 100_000,
        router: { seed: 1 },
      },
      { headers: { authorization: 'Bearer client', 'x-stainless-os': 'Linux' } },
    );
    expect(response.headers.get('x-router-dropped')).toBe('user, weird, top_k');
    const [sent] = bench.chats;
    expect(Object.fromEntries(sent!.headers)).toEqual({
      accept: 'application/json',
      authorization: 'Bearer sk-or-v1-canary',
      'content-type': 'application/json',
      'http-referer': 'https://likeness.test',
      'x-openrouter-title': 'Likeness',
    });
    expect(sent!.body).toEqual({
      model: 'a/one-7b:free',
      messages: [{ role: 'user', content: 'hi' }],
      stream: true,
      temperature: 0.5,
      max_tokens: 4096,
      plugins: [{ id: 'web', enabled: false }],
    });
  });

  it('hops over failures before the answer begins and stops at four attempts', async () => {
    const bench = createBench((_, attempt) => (attempt < 4 ? pool() : sse()), five);
    const good = await bench.chat();
    expect(good.headers.get('x-router-attempts')).toBe('4');
    expect(new Set(bench.chats.map(({ body }) => body['model'])).size).toBe(4);

    const bad = createBench(() => failing(502, { message: 'Provider returned error' }), five);
    const response = await bad.chat();
    expect(response.status).toBe(503);
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(bad.chats).toHaveLength(4);
  });

  it('lets a retry of the same body share the attempts of its failure', async () => {
    const bench = createBench(() => failing(502, { message: 'no' }), five);
    const first = await errorOf(await bench.chat());
    expect(await errorOf(await bench.chat())).toEqual(first);
    expect(bench.chats).toHaveLength(4);
    await bench.clock.run(bench.clock.sleep(61_000));
    await bench.chat();
    expect(bench.chats.length).toBeGreaterThan(4);
  });

  it('does not hop for an exact id, and tells the cause', async () => {
    const bench = createBench(pool, two);
    const response = await bench.chat({ model: 'a/one-7b:free' });
    expect(response.status).toBe(429);
    expect(await errorOf(response)).toMatchObject({ code: 'rate_limit_exceeded' });
    expect(bench.chats.map(({ body }) => body['model'])).toEqual(['a/one-7b:free']);
  });

  it.each([
    [{ models: ['a/one-7b:free'] }, 'models'],
    [{ plugins: [{ id: 'web' }] }, 'plugins'],
    [{ transforms: [] }, 'transforms'],
    [{ tools: [{ type: 'web_search' }] }, 'tools[0].type'],
    [{ n: 2 }, 'n'],
    [{ audio: { voice: 'x' } }, 'audio'],
    [{ logprobs: true }, 'logprobs'],
    [{ model: 'a/one-7b:free:online' }, 'model'],
    [{ router: { nonsense: 1 } }, 'router'],
    [{ messages: [] }, 'messages'],
  ])('refuses %j and names the field', async (body, param) => {
    const bench = createBench(() => sse(), two);
    const response = await bench.chat(body);
    expect([response.status, (await errorOf(response))['param']]).toEqual([400, param]);
    expect(bench.chats).toEqual([]);
  });

  it.each([
    'openai/gpt-4o',
    'openrouter/free',
    'openrouter/auto',
    'a/one-7b',
    'c/unlisted:free',
    'a/../x:free',
  ])('knows no model %s', async (model) => {
    const bench = createBench(() => sse(), two);
    const response = await bench.chat({ model });
    expect([response.status, (await errorOf(response))['code']]).toEqual([404, 'model_not_found']);
    expect(bench.chats).toEqual([]);
  });

  it('takes familiar paid names and a missing model for free', async () => {
    const bench = createBench(() => sse(), two);
    for (const model of ['gpt-4o-mini', 'chatgpt-4o-latest', 'o3', undefined]) {
      expect((await bench.chat({ model })).status).toBe(200);
    }
    expect(bench.chats.every(({ body }) => (body['model'] as string).endsWith(':free'))).toBe(true);
  });
});

describe('the commit point', () => {
  it('hops on an error that is the first event of a good answer', async () => {
    const error = { error: { code: 502, message: 'Upstream error from Nvidia' }, choices: [] };
    const bench = createBench((_, attempt) => (attempt === 1 ? sse([error]) : sse()), two);
    expect((await bench.chat({ stream: true })).headers.get('x-router-attempts')).toBe('2');
  });

  it('tells a failure after it as an error event, without a finish and without [DONE], and does not hop', async () => {
    const bench = createBench(() => sse([chunk({ content: 'Hel' })]), two);
    const events = eventsOf(await (await bench.chat({ stream: true })).text());
    expect(events).toEqual([
      expect.objectContaining({ object: 'chat.completion.chunk' }),
      { error: expect.objectContaining({ code: 'upstream_cut_off' }) as unknown },
    ]);
    expect(bench.chats).toHaveLength(1);
    const folded = await bench.chat({ messages: [{ role: 'user', content: 'other' }] });
    expect([folded.status, bench.chats.length]).toEqual([502, 2]);
  });

  it('keeps reasoning back until the answer begins and shows it to the page', async () => {
    const seen: unknown[] = [];

    const bench = createBench(
      (_, attempt) =>
        attempt === 1
          ? sse([chunk({ content: '', reasoning: 'lost' }, { finish_reason: 'length' }), '[DONE]'])
          : sse([chunk({ content: '', reasoning: 'The ' }), chunk({ reasoning: 'user' }), ...goodEvents()]),
      two,
    );
    const response = await bench.chat(
      { max_tokens: 50 },
      { [pageHooks]: { onEvent: (event: RouterEvent) => void seen.push(event) } },
    );
    expect(await jsonOf(response)).toMatchObject({
      choices: [{ message: { content: 'Hello', reasoning: 'The user' } }],
    });
    expect(seen).toMatchObject([
      { kind: 'attempt-start', attempt: 1 },
      { kind: 'reasoning', text: 'lost' },
      { kind: 'attempt-end', attempt: { failure: 'empty' } },
      { kind: 'attempt-start', attempt: 2 },
      { kind: 'attempt-end', attempt: { failure: undefined } },
    ]);
    expect(bench.chats.map(({ body }) => body['max_tokens'])).toEqual([50, 2048]); // reasoning ate the budget
  });

  it('hops when nothing comes in time, and closes the one it leaves', async () => {
    let closed = 0;
    async function* silence() {
      yield ': waiting\n\n';
      await new Promise(() => undefined);
    }
    const bench = createBench(
      (_, attempt) => (attempt === 1 ? liveSse(silence(), () => closed++) : sse()),
      two,
    );
    const start = bench.clock.now();
    expect((await bench.chat()).headers.get('x-router-attempts')).toBe('2');
    expect(bench.clock.now() - start).toBe(40_000); // a comment is life, for a while
    expect(bench.chats[0]!.signal.aborted).toBe(true);
    expect(closed).toBe(1);
  });

  it('ends a stream that falls silent', async () => {
    const bench = createBench((sent) => {
      async function* parts() {
        yield toSse([chunk({ content: 'Hel' })]);
        await bench.clock.sleep(1e9, sent.signal);
      }
      return liveSse(parts());
    }, two);
    const response = await bench.chat({ stream: true });
    const events = eventsOf(await bench.clock.run(response.text()));
    expect(events.at(-1)).toMatchObject({ error: { code: 'upstream_timeout' } });
    expect(bench.chats[0]!.signal.aborted).toBe(true);
  });
});

describe('abort', () => {
  it('rejects before the answer and closes the upstream', async () => {
    const bench = createBench(() => new Promise(() => undefined), two);
    const controller = new AbortController();
    const pending = bench.router.fetch('https://router.invalid/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify({ messages: [{ role: 'user', content: 'hi' }] }),
      signal: controller.signal,
    });
    pending.catch(() => undefined); // told below
    while (bench.chats.length === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' });
    expect(bench.chats[0]!.signal.aborted).toBe(true);
  });

  it.each(['signal', 'cancel'] as const)('in mid-stream by %s closes the upstream', async (how) => {
    let closed = 0;
    async function* parts() {
      yield toSse([chunk({ content: 'Hel' })]);
      await new Promise(() => undefined);
    }
    const bench = createBench(() => liveSse(parts(), () => closed++), two);
    const controller = new AbortController();
    const response = await bench.chat({ stream: true }, { signal: controller.signal });
    const reader = response.body!.getReader();
    await reader.read();
    if (how === 'signal') {
      const next = reader.read();
      controller.abort();
      await expect(next).rejects.toMatchObject({ name: 'AbortError' });
    } else await reader.cancel();
    await new Promise((resolve) => setImmediate(resolve));
    expect(bench.chats[0]!.signal.aborted).toBe(true);
    expect(closed).toBe(1);
    expect(bench.router.status.get().models.every(({ success }) => success === 0.9)).toBe(true); // nobody's fault
  });
});
