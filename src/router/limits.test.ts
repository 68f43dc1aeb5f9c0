import { describe, expect, it } from 'vitest';
import { chunk, createBench, errorOf, failing, modelEntry, sse, usage } from './testing/scripted-upstream';

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

describe('limits and stops', () => {
  const day = (reset: number) =>
    failing(429, {
      message: 'Rate limit exceeded: free-models-per-day. Add 10 credits',
      metadata: {
        headers: { 'X-RateLimit-Limit': '50', 'X-RateLimit-Reset': String(reset) },
        limit_source: 'openrouter_free_tier_daily',
      },
    });

  it("stops for the day, answers locally, and starts again at the account's midnight", async () => {
    const midnight = Date.UTC(2026, 9, 3);
    const bench = createBench(() => (bench.clock.now() < midnight ? day(midnight) : sse()), two);
    for (let i = 0; i < 3; i++) {
      const response = await bench.chat({ messages: [{ role: 'user', content: `${i}` }] });
      expect([response.status, (await errorOf(response))['code']]).toEqual([429, 'insufficient_quota']);
    }
    expect(bench.chats).toHaveLength(1);
    expect(bench.router.status.get().stops).toMatchObject([{ kind: 'day', until: midnight }]);
    const calls = bench.calls.length;
    await bench.clock.run(bench.clock.sleep(2 * 3_600_000)); // the list is old by now
    await bench.chat();
    expect(bench.calls).toHaveLength(calls);
    await bench.clock.run(bench.clock.sleep(midnight - bench.clock.now()));
    expect((await bench.chat()).status).toBe(200);
  });

  it('a stop belongs to its key, and a pressed retry lifts it', async () => {
    let key = 'sk-or-v1-first';
    const bench = createBench(
      (sent) =>
        sent.headers.get('authorization') === 'Bearer sk-or-v1-first'
          ? failing(401, { message: 'User not found.' })
          : sse(),
      two,
      { apiKey: () => key },
    );
    expect((await bench.chat()).status).toBe(401);
    expect((await bench.chat()).status).toBe(401);
    expect(bench.chats).toHaveLength(1);
    bench.router.retryStopped();
    await bench.chat({ messages: [{ role: 'user', content: 'again' }] });
    expect(bench.chats).toHaveLength(2);
    expect(bench.router.status.get().stops).toMatchObject([{ kind: 'key' }]);
    key = 'sk-or-v1-second';
    await bench.clock.run(bench.router.refresh());
    expect(bench.router.status.get().stops).toEqual([]);
    expect((await bench.chat()).status).toBe(200);
  });

  it('waits for the minute of the account and sends to the same model again', async () => {
    const bench = createBench(
      (_, attempt) =>
        attempt === 1
          ? failing(429, {
              message: 'Rate limit exceeded: free-models-per-min. ',
              metadata: {
                headers: { 'X-RateLimit-Reset': String(bench.clock.now() + 20_000) },
                limit_source: 'openrouter_free_tier_per_minute',
              },
            })
          : sse(),
      two,
    );
    const start = bench.clock.now();
    expect((await bench.chat()).status).toBe(200);
    expect(bench.clock.now() - start).toBe(20_000);
    expect(bench.chats[0]!.body['model']).toBe(bench.chats[1]!.body['model']);
  });

  it('holds back the nineteenth request of a minute, one window at most', async () => {
    const bench = createBench(() => sse(), two);
    const start = bench.clock.now();
    for (let i = 0; i < 18; i++) await bench.chat();
    expect(bench.clock.now()).toBe(start);
    await bench.chat();
    expect(bench.clock.now() - start).toBe(60_000);
    expect(bench.router.status.get().quota).toMatchObject({ usedAtLeast: 19, usedAtMost: 19, limit: 50 });
  });

  it('asks for a key before anything', async () => {
    const bench = createBench(() => sse(), two, { apiKey: () => undefined });
    const response = await bench.chat();
    expect([response.status, (await errorOf(response))['code']]).toEqual([401, 'invalid_api_key']);
    expect(bench.calls).toEqual([]);
  });

  it('shows a data policy as a stop once two models hit it', async () => {
    const bench = createBench(
      () =>
        failing(404, {
          message: 'No endpoints found matching your data policy (Free model training). Configure: https://…',
        }),
      five,
    );
    const response = await bench.chat();
    expect([response.status, (await errorOf(response))['code'], bench.chats.length]).toEqual([
      403,
      'data_policy',
      2,
    ]);
    await bench.chat({ messages: [{ role: 'user', content: 'other' }] });
    expect(bench.chats).toHaveLength(2);
    expect(bench.router.status.get().stops).toMatchObject([{ kind: 'policy' }]);
  });

  it('does not blame the account for a policy that the request itself asked for', async () => {
    const policy = () => failing(404, { message: 'No endpoints found matching your data policy (zdr)' });
    const bench = createBench((_, attempt) => (attempt <= 4 ? policy() : sse()), five);
    expect((await bench.chat({ provider: { zdr: true } })).status).toBe(403);
    expect(bench.router.status.get().stops).toEqual([]);
  });

  it('stops at a remainder of 0 that /key tells', async () => {
    const bench = createBench(() => sse(), two, {
      routes: ({ path }) =>
        path === '/key'
          ? Response.json({
              data: {
                label: 'sk-or-v1-a...b',
                free_model_daily_requests: { used: 1000, limit: 1000, remaining: 0 },
              },
            })
          : undefined,
    });
    await bench.clock.run(bench.router.refresh());
    expect((await bench.chat()).status).toBe(429);
    expect(bench.chats).toEqual([]);
    expect(bench.router.status.get().quota).toMatchObject({ usedAtLeast: 1000, limit: 1000 });
  });

  it('cools a model down by the ladder and says when all are cooling', async () => {
    const bench = createBench(pool, two);
    expect((await bench.chat()).status).toBe(429);
    const response = await bench.chat({ messages: [{ role: 'user', content: 'other' }] });
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '30']);
    expect(bench.chats).toHaveLength(2);
    await bench.clock.run(bench.clock.sleep(30_001));
    await bench.chat({ messages: [{ role: 'user', content: 'third' }] });
    const again = bench.router.status.get().models.map(({ coolDown }) => coolDown!.until - bench.clock.now());
    expect(again).toEqual([60_000, 60_000]);
  });
});

describe('money and secrets', () => {
  it('puts a model aside whose answer cost something, and tells the person', async () => {
    const bench = createBench(
      () =>
        sse([chunk({ content: 'x' }), chunk({}, { finish_reason: 'stop', usage: { ...usage, cost: 0.01 } })]),
      [two[0]!],
    );
    expect((await bench.chat()).status).toBe(200);
    expect(bench.router.status.get().notices).toMatchObject([{ kind: 'cost', model: 'a/one-7b:free' }]);
    expect((await bench.chat({ messages: [{ role: 'user', content: 'more' }] })).status).toBe(503);
    expect(bench.chats).toHaveLength(1);
    const other = createBench(() => sse(), [two[0]!], { store: bench.store });
    expect((await other.chat()).status).toBe(503); // after a reload too
  });

  it('tells neither keys nor account ids', async () => {
    const bench = createBench(
      () =>
        failing(403, {
          message: 'Key sk-or-v1-abc...def of user_2x is refused',
          metadata: { raw: 'Bearer abc.def user_2x', provider_name: 'P' },
        }),
      two,
    );
    const text = await (await bench.chat()).text();
    expect(text).toContain('[redacted]');
    expect(text).not.toMatch(/sk-or|user_|abc\.def/);
  });

  it('never sends what is not free', async () => {
    const traps = [
      modelEntry('openrouter/free'),
      modelEntry('openrouter/auto', { pricing: { prompt: '-1', completion: '-1' } }),
      modelEntry('google/lyria-3-clip-preview'),
      modelEntry('x/guard-content-safety:free'),
      modelEntry('x/ocr:free'),
      modelEntry('x/y:batch'),
      modelEntry('~x/latest'),
      modelEntry('x/paid:free', { pricing: { prompt: '0', completion: '0.000001' } }),
      modelEntry('x/by-request:free', { pricing: { prompt: '0', completion: '0', request: '0.1' } }),
      modelEntry('x/old:free', { expiration_date: '2026-10-01' }),
      modelEntry('x/speech:free', {
        architecture: { input_modalities: ['text'], output_modalities: ['speech'] },
      }),
    ];
    const bench = createBench(
      () => sse(),
      [...traps, modelEntry('good/mediocre:free', { pricing: { prompt: '0.000000', completion: 0 } })],
    );
    await bench.chat();
    expect(bench.router.status.get().models.map(({ id }) => id)).toEqual(['good/mediocre:free']);
    for (const { id } of traps) await bench.chat({ model: id });
    expect(bench.chats.map(({ body }) => body['model'])).toEqual(['good/mediocre:free']);
  });
});
