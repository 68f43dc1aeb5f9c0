import { describe, expect, it } from 'vitest';
import { createBench, failing, jsonOf, modelEntry, sse, type Sent } from './testing/scripted-upstream';

const hour = 3_600_000;

/** A bench whose list the test changes. */
function listed(first: readonly string[], over: Parameters<typeof createBench>[2] = {}) {
  const list = { ids: first, reads: 0 };
  const bench = createBench(() => sse(), [], {
    ...over,
    routes(sent: Sent) {
      const own = over.routes?.(sent);
      if (own) return own;
      if (sent.path !== '/models/user' && sent.path !== '/models') return undefined;
      list.reads++;
      return Response.json({ data: list.ids.map((id) => modelEntry(id)) });
    },
  });
  return { list, bench };
}

/** Sends one chat and waits until what it began beside itself is done. */
async function ask(bench: ReturnType<typeof createBench>, text: string) {
  const response = await bench.chat({ messages: [{ role: 'user', content: text }] });
  await bench.clock.run(bench.clock.sleep(1));
  return response;
}

describe('the list of models', () => {
  it('is read once, then by age, and tells what came, went and ends', async () => {
    const { bench, list } = listed(['a/m:free', 'b/m:free']);
    await ask(bench, '1');
    await ask(bench, '2');
    expect([list.reads, bench.router.status.get().changes]).toEqual([1, []]);
    list.ids = ['b/m:free', 'c/m:free'];
    await bench.clock.run(bench.clock.sleep(hour));
    await ask(bench, '3');
    expect(list.reads).toBe(2);
    expect(bench.router.status.get().changes).toMatchObject([
      { kind: 'new', id: 'c/m:free' },
      { kind: 'gone', id: 'a/m:free' },
    ]);
  });

  it('is read again by evidence, and a model that is gone is out until then', async () => {
    const gone = { message: 'No endpoints found for a/m:free.' };
    const models = [modelEntry('a/m:free'), modelEntry('b/m:free', { expiration_date: '2026-10-10' })];
    const bench = createBench(
      (sent) => (sent.body['model'] === 'a/m:free' ? failing(404, gone) : sse()),
      models,
    );
    const reads = () => bench.calls.filter(({ path }) => path === '/models/user').length;
    expect((await bench.chat({ model: 'a/m:free' })).status).toBe(404);
    expect(bench.router.status.get().models.map(({ id }) => id)).toEqual(['b/m:free']);
    expect(bench.router.status.get().changes).toEqual([
      { kind: 'expiring', id: 'b/m:free', at: Date.UTC(2026, 9, 11) },
    ]);
    await ask(bench, '1');
    expect(reads()).toBe(1); // a list of this moment is not read again
    await bench.clock.run(bench.clock.sleep(3 * 60_000));
    await ask(bench, '2');
    expect(reads()).toBe(2);
    expect(bench.router.status.get().models).toHaveLength(2);
  });

  it('survives a reload, and an old one serves while OpenRouter cannot be reached', async () => {
    const first = listed(['a/m:free']);
    await ask(first.bench, '1');
    const second = listed([], { store: first.bench.store });
    await ask(second.bench, '2');
    expect(second.list.reads).toBe(0);
    const third = listed([], {
      store: first.bench.store,
      routes: ({ path }) => (path.startsWith('/models') ? failing(503, { message: 'down' }) : undefined),
    });
    await third.bench.clock.run(third.bench.clock.sleep(25 * hour));
    expect((await ask(third.bench, '3')).status).toBe(200);
    expect(third.bench.router.status.get().listFailure).toBe('down');
  });

  it('falls back to the public list where the account has none, and waits for no answer for ever', async () => {
    const models = [modelEntry('a/m:free')];
    const refused = createBench(() => sse(), models, {
      routes: ({ path }) => (path === '/models/user' ? failing(403, { message: 'no' }) : undefined),
    });
    expect((await refused.chat()).status).toBe(200);
    const silent = createBench(() => sse(), models, { fetch: () => new Promise(() => undefined) });
    const response = await silent.clock.run(silent.router.fetch('https://router.invalid/v1/models'));
    expect(response.status).toBe(503);
  });

  it('takes the best of the endpoints as a prior, until there is something better', async () => {
    const endpoints = (status: number) =>
      Response.json({ data: { endpoints: [{ status, uptime_last_30m: 80 }] } });
    const { bench } = listed(['a/m:free', 'b/m:free', 'c/m:free'], {
      routes: ({ path }) =>
        path === '/models/a/m:free/endpoints'
          ? endpoints(0)
          : path === '/models/b/m:free/endpoints'
            ? endpoints(-10)
            : undefined,
    });
    await bench.clock.run(bench.router.refresh());
    await bench.clock.run(bench.clock.sleep(1));
    expect(bench.router.status.get().models.map(({ success }) => success)).toEqual([0.76, 0.1, 0.9]);
  });
});

it('refuses a damaged key without sending or telling it', async () => {
  const bench = createBench(() => sse(), [modelEntry('a/m:free')], { apiKey: () => 'secret\nkey' });
  const response = await bench.chat();
  expect(response.status).toBe(401);
  expect(JSON.stringify(await jsonOf(response))).not.toContain('secret');
  expect(bench.calls).toEqual([]);
});
