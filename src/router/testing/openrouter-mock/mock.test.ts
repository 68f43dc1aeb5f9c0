import { createHash } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createVirtualClock } from '../virtual-clock';
import { createAccount } from './account';
import type { Behaviour } from './behaviour';
import { createBrowserFetch } from './browser-fetch';
import { errorCases, networkCases } from './error-cases';
import { serveHttps, type HttpsServer } from './https-server';
import { createOpenRouterMock } from './mock';
import { streamsCutLate, wholeStreams } from './stream-variants';

const base = 'https://mock.invalid/api/v1';
const noon = Date.UTC(2026, 10, 25, 12);

function open(options: Partial<Parameters<typeof createOpenRouterMock>[0]> = {}) {
  const clock = createVirtualClock(noon, { isEager: true });
  const mock = createOpenRouterMock({ clock, ...options });
  const fetch = createBrowserFetch(mock.handle);
  const get = (path: string, key = mock.firstKey) =>
    fetch(`${base}${path}`, { headers: { Authorization: `Bearer ${key}` } });
  const ask = (body: object = {}, init: RequestInit = {}) =>
    fetch(`${base}/chat/completions`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${mock.firstKey}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({
        model: 'acme/plain-8b:free',
        messages: [{ role: 'user', content: 'Hi' }],
        ...body,
      }),
      ...init,
    });
  return { clock, mock, fetch, get, ask };
}

const dataOf = (text: string) =>
  text
    .split(/\r?\n\r?\n/)
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice(6)) as { choices?: { delta: { content?: string } }[] });
const contentOf = (text: string) =>
  dataOf(text)
    .map(({ choices }) => choices?.[0]?.delta.content ?? '')
    .join('');

describe('chat', () => {
  test('answers whole and streamed, and keeps the request', async () => {
    const { ask, mock } = open();
    expect(await (await ask()).json()).toMatchObject({
      id: 'gen-1795608000-xxxxxxxxxxxxxxxxxxx1',
      choices: [{ message: { content: 'Hello from acme/plain-8b:free today.' }, finish_reason: 'stop' }],
      usage: { cost: 0 },
    });
    const answer = await ask({ stream: true });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    const text = await answer.text();
    expect(contentOf(text)).toBe('Hello from acme/plain-8b:free today.');
    expect(text.match(/"finish_reason":"stop"/g)).toHaveLength(2);
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(mock.calls.map(({ model, end, status }) => [model, end, status])).toEqual([
      ['acme/plain-8b:free', 'sent', 200],
      ['acme/plain-8b:free', 'sent', 200],
    ]);
    expect(mock.preflights).toBe(2);
  });

  test('takes behaviours in order: coming ones, those of the model, standing ones', async () => {
    const { ask, mock } = open();
    mock.script.always(errorCases['E24-server']);
    mock.script.always(errorCases['E8-gone'], 'acme/plain-8b:free');
    mock.script.queue('acme/plain-8b:free', errorCases['E20-pool']);
    mock.script.next(errorCases['E21-529'], errorCases['E2-user']);
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await ask()).status);
    statuses.push((await ask({ model: 'acme/eye-12b:free' })).status);
    expect(statuses).toEqual([529, 401, 429, 404, 500]);
  });

  test('refuses by itself what OpenRouter refuses', async () => {
    const { ask } = open();
    const status = async (body: object) => (await ask(body)).status;
    expect(await status({ messages: [] })).toBe(400);
    expect(await status({ model: 'no/such:free' })).toBe(400);
    expect(await status({ tools: [{}] })).toBe(404);
    expect(
      await status({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] }),
    ).toBe(404);
    expect(await status({ provider: { zdr: true } })).toBe(404);
    expect(await status({ model: 'delta/thinker-30b-a3b:free', reasoning: { enabled: false } })).toBe(400);
  });

  test.each(Object.entries(errorCases))('%s has its status and body', async (name, behaviour: Behaviour) => {
    const { ask, mock } = open();
    mock.script.next(behaviour);
    const answer = await ask();
    const text = await answer.text();
    if (behaviour.kind === 'reply') expect(answer.status).toBe(behaviour.status);
    if (name.startsWith('E25')) expect(text).toContain('<html>');
    else if (name.startsWith('E23')) expect(contentOf(text)).toBe('');
    else expect(JSON.parse(text)).toHaveProperty('error.message');
    expect(answer.headers.get('retry-after')).toBeNull(); // sent at times, never readable
    expect(answer.headers.get('x-ratelimit-reset')).toBeNull();
  });

  test.each(Object.entries(wholeStreams))('the stream “%s” is whole', async (name, behaviour: Behaviour) => {
    const { ask, mock } = open();
    mock.script.next(behaviour);
    const text = await (await ask({ stream: true })).text();
    const content = behaviour.kind === 'answer' ? behaviour.answer?.content : undefined;
    if (name === 'json-on-stream') expect(JSON.parse(text)).toHaveProperty('choices.0.message');
    else if (content !== undefined) expect(contentOf(text)).toBe(content ?? '');
    expect(mock.calls[0]?.end).toBe('sent');
  });

  test.each(Object.entries(streamsCutLate))(
    'the stream “%s” breaks after two words',
    async (name, behaviour) => {
      const { ask, mock } = open();
      mock.script.next(behaviour);
      const reader = (await ask({ stream: true })).body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      const readAll = async () => {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return 'end';
          text += value;
          if (name.startsWith('hang') && text.includes('from')) return reader.cancel();
        }
      };
      if (name.startsWith('drop')) await expect(readAll()).rejects.toThrow('terminated');
      else await readAll();
      expect(contentOf(text)).toBe('Hello from ');
      expect(text.includes('"error"')).toBe(name.startsWith('error'));
      const end = name.startsWith('hang') ? 'aborted' : name.startsWith('drop') ? 'dropped' : 'sent';
      expect(mock.calls[0]?.end).toBe(end);
    },
  );

  test('one byte a chunk where it is told to', async () => {
    const { ask, mock } = open();
    mock.script.next(wholeStreams['byte-split']);
    const sizes = new Set<number>();
    for await (const chunk of (await ask({ stream: true })).body!) sizes.add(chunk.length);
    expect([...sizes]).toEqual([1]);
  });

  test('waits on the clock it is given', async () => {
    const { ask, mock, clock } = open();
    mock.script.next(wholeStreams['comments-then-late-first-token']);
    const text = await (await ask({ stream: true })).text();
    expect(text.match(/^: OPENROUTER PROCESSING$/gm)).toHaveLength(8);
    expect(clock.now() - noon).toBe(4500);
  });

  test('sees clients leave: by signal before and in the answer, by cancel', async () => {
    const { ask, mock } = open();
    const hang: Behaviour = { kind: 'answer', delivery: { cut: { after: 1, by: 'hang' } } };
    mock.script.next(networkCases.silence, hang, hang);
    const early = new AbortController();
    const pending = ask({}, { signal: early.signal });
    setTimeout(() => early.abort(), 0);
    await expect(pending).rejects.toThrow('aborted');
    const late = new AbortController();
    const answer = await ask({ stream: true }, { signal: late.signal });
    late.abort();
    await expect(answer.text()).rejects.toThrow('aborted');
    await (await ask({ stream: true })).body!.cancel();
    expect(mock.calls.map(({ end }) => end)).toEqual(['aborted', 'aborted', 'aborted']);
  });

  test('fails below HTTP and redirects', async () => {
    const { ask, mock } = open();
    mock.script.next(networkCases.refused, networkCases.redirect);
    await expect(ask()).rejects.toThrow(TypeError);
    await expect(ask({}, { redirect: 'error' })).rejects.toThrow(TypeError);
  });
});

describe('limits', () => {
  test('20 a minute, until the next one begins', async () => {
    const { ask, clock } = open();
    for (let i = 0; i < 20; i++) expect((await ask()).status).toBe(200);
    const refused = await ask();
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({
      error: {
        metadata: {
          limit_source: 'openrouter_free_tier_per_minute',
          headers: { 'X-RateLimit-Limit': '20', 'X-RateLimit-Reset': String(noon + 60_000) },
        },
      },
    });
    await clock.advance(60_000);
    expect((await ask()).status).toBe(200);
  });

  test.each([
    [50, false, 50],
    [50, true, 51],
    [1000, false, 1000],
  ] as const)('%i a day, refusals count: %s', async (dayLimit, countsRefused, used) => {
    const { ask, mock, get } = open({ account: { dayLimit, countsRefused } });
    mock.account.spend(dayLimit - 1, noon - 3_600_000);
    expect((await ask()).status).toBe(200);
    const refused = await ask();
    expect(await refused.json()).toMatchObject({
      error: {
        message: expect.stringContaining(dayLimit === 50 ? 'Add 10 credits' : 'high-balance') as string,
        metadata: { headers: { 'X-RateLimit-Reset': String(Date.UTC(2026, 10, 26)) } },
      },
      user_id: mock.account.userId,
    });
    expect(await (await get('/key')).json()).toMatchObject({
      data: { free_model_daily_requests: { used, limit: dayLimit, remaining: 0 } },
    });
  });

  test('/key lags, and a pool’s refusal is not counted', async () => {
    const { ask, get, mock, clock } = open({ account: { keyLagMs: 60_000 } });
    const used = async () =>
      ((await (await get('/key')).json()) as { data: { free_model_daily_requests: { used: number } } }).data
        .free_model_daily_requests.used;
    mock.script.next({ kind: 'answer' }, errorCases['E20-pool']);
    await ask();
    await ask();
    expect(await used()).toBe(0);
    await clock.advance(60_000);
    expect(await used()).toBe(1);
  });
});

describe('lists and accounts', () => {
  const ids = async (answer: Response) =>
    ((await answer.json()) as { data: { id: string }[] }).data.map(({ id }) => id);

  test('text models by default, others by filter, refused filters', async () => {
    const { get, mock } = open();
    const all = await ids(await get('/models?output_modalities=all'));
    expect(all).toEqual(mock.models.map(({ id }) => id));
    expect(await ids(await get('/models'))).not.toContain('embed/small-embed:free');
    expect(await ids(await get('/models?output_modalities=embeddings'))).toEqual([
      'embed/small-embed:free',
      'embed/paid-embed',
    ]);
    expect(await ids(await get('/models?supported_parameters=structured_outputs&context=200000'))).toEqual([
      'delta/everything:free',
    ]);
    expect((await get('/models?output_modalities=smell')).status).toBe(400);
  });

  test('pages end with a null link', async () => {
    const { get, mock } = open();
    let next: string | null = '/models?limit=10&output_modalities=all';
    const sizes: number[] = [];
    while (next !== null) {
      const page = (await (await get(next)).json()) as { data: unknown[]; links: { next: string | null } };
      sizes.push(page.data.length);
      next = page.links.next?.replace('/api/v1', '') ?? null;
    }
    expect(sizes.reduce((a, b) => a + b)).toBe(mock.models.length);
    expect(sizes[0]).toBe(10);
  });

  test('a key sees its own models; lists need none, calls do', async () => {
    const { get, fetch, mock, ask } = open();
    mock.addKey('sk-or-v1-other', createAccount({ hiddenModels: ['acme/plain-8b:free'] }));
    expect(await ids(await get('/models/user', 'sk-or-v1-other'))).not.toContain('acme/plain-8b:free');
    expect((await get('/models/user', 'sk-or-v1-wrong')).status).toBe(401);
    expect((await fetch(`${base}/key`)).status).toBe(401);
    expect((await ask({}, { headers: {} })).status).toBe(401);
    expect(await (await get('/models/acme/plain-8b:free/endpoints')).json()).toMatchObject({
      data: { endpoints: [{ status: 0, uptime_last_5m: 99.8 }] },
    });
    expect((await get('/model/acme/plain-8b:free')).status).toBe(200);
    expect((await get('/model/acme/no:free')).status).toBe(404);
  });

  test('credits in both modes; a generation is known late', async () => {
    const { get, mock, ask, clock } = open();
    expect((await get('/credits')).status).toBe(200);
    mock.account.tellsCredits = false;
    expect((await get('/credits')).status).toBe(403);
    const path = `/generation?id=${(await ask()).headers.get('x-generation-id')}`;
    expect((await get(path)).status).toBe(404);
    await clock.advance(60_000);
    expect((await get(path)).status).toBe(200);
  });

  test('preflights refuse what is not in the list, and X-Stainless-* by choice', async () => {
    for (const allowsStainless of [false, true]) {
      const { fetch } = open({ allowsStainless });
      const models = (name: string) => fetch(`${base}/models`, { headers: { [name]: '1' } });
      expect((await models('X-OpenRouter-Title')).status).toBe(200);
      await expect(models('X-OpenRouter-Metadata')).rejects.toThrow('preflight');
      await expect(models('OpenAI-Beta')).rejects.toThrow('preflight');
      const stainless = models('X-Stainless-OS');
      if (allowsStainless) expect((await stainless).status).toBe(200);
      else await expect(stainless).rejects.toThrow('preflight');
    }
  });

  test('signing in gives a key for a code once, within ten minutes', async () => {
    const { mock, fetch, clock, get } = open();
    const verifier = 'v'.repeat(43);
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const authorize = async () => {
      const query = new URLSearchParams({
        callback_url: 'http://localhost:5173/?a=b',
        code_challenge: challenge,
        code_challenge_method: 'S256',
        state: 's1',
      });
      const answer = await mock.handle(new Request(`https://mock.invalid/auth?${query}`));
      const target = new URL(answer.headers.get('location')!);
      expect([answer.status, target.searchParams.get('a'), target.searchParams.get('state')]).toEqual([
        302,
        'b',
        's1',
      ]);
      return target.searchParams.get('code');
    };
    const exchange = (body: object) =>
      fetch(`${base}/auth/keys`, { method: 'POST', body: JSON.stringify(body) });
    const proof = { code_verifier: verifier, code_challenge_method: 'S256' };
    const code = await authorize();
    expect((await exchange({ code, ...proof, code_verifier: 'wrong' })).status).toBe(403);
    const made = (await (await exchange({ code, ...proof })).json()) as { key: string };
    expect((await get('/key', made.key)).status).toBe(200);
    expect((await exchange({ code, ...proof })).status).toBe(400);
    const late = await authorize();
    await clock.advance(600_001);
    expect((await exchange({ code: late, ...proof })).status).toBe(403);
    expect((await exchange({})).status).toBe(400);
  });
});

describe('over HTTPS', () => {
  const { mock } = open();
  let server: HttpsServer;
  beforeAll(async () => {
    server = await serveHttps(mock.handle);
  });
  afterAll(() => server.close());

  function post(body: object, onData: (text: string, leave: () => void) => void): Promise<string> {
    return new Promise((resolve) => {
      const request = httpsRequest(
        `${server.origin}/api/v1/chat/completions`,
        { method: 'POST', ca: server.certificate, headers: { authorization: `Bearer ${mock.firstKey}` } },
        (answer) => {
          answer.setEncoding('utf8').on('data', (text: string) => onData(text, () => request.destroy()));
          answer.on('end', () => resolve('end')).on('error', () => resolve('error'));
        },
      );
      request.on('error', () => resolve('error'));
      request.end(JSON.stringify(body));
    });
  }
  const body = { model: 'acme/plain-8b:free', messages: [{ role: 'user', content: 'Hi' }], stream: true };

  test('a stream arrives whole under a certificate that can be trusted', async () => {
    let text = '';
    expect(await post(body, (chunk) => (text += chunk))).toBe('end');
    expect(contentOf(text)).toBe('Hello from acme/plain-8b:free today.');
  });

  test('a dropped stream is a broken connection', async () => {
    mock.script.next({ kind: 'answer', delivery: { cut: { after: 2, by: 'drop' } } });
    expect(await post(body, () => undefined)).toBe('error');
  });

  test('a client that leaves is seen', async () => {
    mock.script.next({ kind: 'answer', delivery: { cut: { after: 2, by: 'hang' } } });
    expect(await post(body, (_, leave) => leave())).toBe('error');
    await expect.poll(() => mock.calls.at(-1)?.end).toBe('aborted');
  });
});
