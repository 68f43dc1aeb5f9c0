// Which models there are, and what is drawn and embedded, against the mock: lists of accounts, outages, models that come and go, traps.
import { expect, test } from 'vitest';
import { errorCases } from './testing/openrouter-mock/error-cases';
import {
  defaultModels,
  freePainter,
  goodModels,
  mockModel,
  oddModels,
  trapModels,
} from './testing/openrouter-mock/fixture-models';
import { errorSchema, imagesSchema, modelListSchema } from './testing/openai-schemas';
import { openLab, type RouterLab } from './testing/router-lab';
import { virtualNames } from './virtual-models';

const base = 'https://router.invalid/v1';

async function listedIds({ router }: RouterLab): Promise<string[]> {
  const answer = await router.fetch(`${base}/models`);
  return modelListSchema.parse(await answer.json()).data.map(({ id }) => id);
}

const draw = (lab: RouterLab, body: object) =>
  lab.router.fetch(`${base}/images/generations`, {
    method: 'POST',
    body: JSON.stringify({ prompt: 'a toy', ...body }),
  });

async function errorOf(answer: Response) {
  return { status: answer.status, ...errorSchema.parse(await answer.json()).error };
}

test('the list is the free chat models and the virtual names, none of the traps', async () => {
  const lab = openLab();
  const expected = [...virtualNames, ...[...goodModels, ...oddModels].map(({ id }) => id)];
  expect((await listedIds(lab)).sort()).toEqual(expected.sort());
  lab.check();
});

test('a key has its own list; without one the public list serves', async () => {
  const lab = openLab({ account: { hiddenModels: ['acme/plain-8b:free'] } });
  expect(await listedIds(lab)).not.toContain('acme/plain-8b:free');
  expect((await lab.ask({ model: 'acme/plain-8b:free' })).status).toBe(404);
  lab.key = undefined;
  expect(await listedIds(lab)).toContain('acme/plain-8b:free');
  expect(lab.mock.requests.find(({ path }) => path === '/models')?.headers).not.toHaveProperty(
    'authorization',
  );
});

test('a list that cannot be read is an error; one that was read before still serves', async () => {
  const lab = openLab();
  for (const path of ['/models', '/models/user']) lab.mock.outages.set(path, errorCases['E25-html-502']);
  expect((await lab.ask()).status).toBe(503);
  lab.mock.outages.clear();
  await lab.clock.advance(5 * 60_000);
  expect((await lab.ask()).status).toBe(200);
  for (const path of ['/models', '/models/user']) lab.mock.outages.set(path, errorCases['E25-html-502']);
  await lab.clock.advance(48 * 3_600_000);
  expect((await lab.ask({ messages: [{ role: 'user', content: 'later' }] })).status).toBe(200);
  expect(lab.router.status.get().listFailure).toContain('502');
});

test('models that come and go are news', async () => {
  const lab = openLab();
  await lab.router.refresh();
  expect(lab.router.status.get().changes).toEqual([]);
  const fresh = mockModel('acme/new-5b:free', { expires: '2026-12-01' });
  lab.mock.models = [...defaultModels.filter(({ id }) => id !== 'acme/plain-8b:free'), fresh];
  await lab.clock.advance(60 * 60_000);
  await lab.router.refresh();
  expect(lab.router.status.get().changes.map(({ kind, id }) => [kind, id])).toEqual([
    ['expiring', fresh.id],
    ['new', fresh.id],
    ['gone', 'acme/plain-8b:free'],
  ]);
  expect((await lab.ask({ model: fresh.id })).status).toBe(200);
  expect((await lab.ask({ model: 'acme/plain-8b:free' })).status).toBe(404);
});

test('a model that turned out to be gone is not asked again, and the list is read anew', async () => {
  const lab = openLab();
  lab.mock.script.next(errorCases['E9-paid-now']);
  await lab.ask();
  const [gone] = lab.newCalls();
  lab.mock.models = defaultModels.filter(({ id }) => id !== gone);
  const readings = () => lab.mock.requests.filter(({ path }) => path === '/models/user').length;
  const before = readings();
  for (let i = 0; i < 40; i++) {
    await lab.ask({ messages: [{ role: 'user', content: `${i}` }] });
    await lab.clock.advance(10_000);
  }
  expect(lab.newCalls()).not.toContain(gone);
  expect(readings()).toBe(before + 1);
});

test('an endpoint that is down counts against its model', async () => {
  const lab = openLab();
  lab.mock.endpoints.set('acme/plain-8b:free', { status: -10, uptime: 3 });
  await lab.router.refresh();
  await lab.clock.advance(1000);
  const { models } = lab.router.status.get();
  const success = (id: string) => models.find((model) => model.id === id)?.success ?? NaN;
  expect(success('acme/plain-8b:free')).toBeLessThan(success('acme/eye-12b:free'));
});

test('what a request needs decides who is asked', async () => {
  const lab = openLab({ account: { dayLimit: 1000 } });
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };
  const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];
  const answered = async (body: object) => {
    const asked = new Set<string>();
    for (let seed = 0; seed < 25; seed++) {
      expect((await lab.ask({ ...body, router: { seed } })).status).toBe(200);
      for (const id of lab.newCalls()) asked.add(id);
      await lab.clock.advance(10_000);
    }
    return [...asked].sort();
  };
  const seeing = ['acme/eye-12b:free', 'delta/everything:free'];
  const question = [{ role: 'user', content: [{ type: 'text', text: 'What is it?' }, image] }];
  expect(await answered({ messages: question })).toEqual(seeing);
  expect(await answered({ model: 'free:vision' })).toEqual(seeing);
  expect(await answered({ tools })).toEqual(['borel/tool-70b:free', 'delta/everything:free']);
  expect(await answered({ model: 'free:json' })).toEqual(['borel/schema-24b:free', 'delta/everything:free']);
  const long = 'word '.repeat(170_000 / 1.5);
  expect(await answered({ messages: [{ role: 'user', content: long }] })).toEqual([
    'cassini/long-1t:free',
    'delta/everything:free',
  ]);
});

test('pictures: no free painter is told, a free one is asked, a paid one never', async () => {
  const lab = openLab();
  expect(await errorOf(await draw(lab, {}))).toMatchObject({ status: 503, code: 'no_free_model' });
  expect(await errorOf(await draw(lab, { model: 'paint/klein-4b' }))).toMatchObject({ status: 404 });
  lab.mock.models = [...defaultModels, freePainter];
  for (const model of [undefined, 'dall-e-3', freePainter.id]) {
    const answer = await draw(lab, { model, size: '1024x1792', response_format: 'b64_json' });
    const { data } = imagesSchema.parse(await answer.json());
    expect([answer.status, data[0]?.model]).toEqual([200, freePainter.id]);
  }
  expect(lab.newCalls()).toEqual([freePainter.id, freePainter.id, freePainter.id]);
  expect(lab.mock.calls[0]?.body).toMatchObject({ aspect_ratio: '9:16', output_format: 'png' });
  lab.check();
});

test('embeddings stay with their model when it fails', async () => {
  const lab = openLab();
  lab.mock.script.always(errorCases['E21-503']);
  const answer = await lab.router.fetch(`${base}/embeddings`, {
    method: 'POST',
    body: JSON.stringify({ model: 'embed/small-embed:free', input: 'one' }),
  });
  expect((await errorOf(answer)).status).toBe(503);
  expect(lab.newCalls()).toEqual(['embed/small-embed:free']);
});

test.each(['/responses', '/completions', '/', '/models/', '/files', '/chat', '/chat/completions/x'])(
  '%s is a 404 in JSON that names chat.completions, or the list',
  async (path) => {
    const lab = openLab();
    const answer = await lab.router.fetch(`${base}${path}`, { method: 'POST', body: '{}' });
    const { status, message } = await errorOf(answer);
    expect([status, message]).toEqual([404, expect.stringContaining('chat.completions')]);
    expect(lab.mock.requests).toEqual([]);
  },
);

test('no trap is ever in a status', async () => {
  const lab = openLab();
  await lab.router.refresh();
  const ids = lab.router.status.get().models.map(({ id }) => id);
  for (const { id } of trapModels) expect(ids).not.toContain(id);
});
