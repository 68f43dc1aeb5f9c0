import { describe, expect, it } from 'vitest';
import { AppError } from '../../base/errors';
import { readPngText } from '../../weights/png-text';
import { fromBase64, toBase64 } from '../base64';
import type { Draw, DrawRequest } from '../draw';
import { createBench, errorOf, jsonOf, modelEntry, sse, type Sent } from '../testing/scripted-upstream';

const models = [modelEntry('a/one-7b:free'), modelEntry('b/two:free')];
// One transparent pixel.
const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';

describe('models', () => {
  it('lists virtual names, free models with health, and local subjects, without a key', async () => {
    const draw: Draw = { subjects: async () => [{ id: 'toy', createdAt: 5000 }], draw: async () => [] };
    const bench = createBench(() => sse(), models, { apiKey: () => undefined, draw });
    const list = await jsonOf(await bench.router.fetch('https://router.invalid/base/v1/models'));
    const items = list['data'] as { id: string }[];
    expect(items.map(({ id }) => id)).toEqual([
      'free',
      'free:vision',
      'free:tools',
      'free:json',
      'free:long',
      'free:fast',
      'a/one-7b:free',
      'b/two:free',
      'likeness/toy',
    ]);
    expect(items[6]).toMatchObject({
      object: 'model',
      owned_by: 'a',
      context_length: 32_768,
      parameters: { total: 7, active: 7 },
      health: { success: 0.9, first_token_ms: null, cooling_until: null },
      estimated_wait_ms: 3000,
    });
    for (const path of ['models/a/one-7b:free', 'models/a%2Fone-7b:free', 'models/a%2Fone-7b%3Afree']) {
      const response = await bench.router.fetch(`https://router.invalid/v1/${path}`);
      expect((await jsonOf(response))['id']).toBe('a/one-7b:free');
    }
    expect((await bench.router.fetch('https://router.invalid/v1/models/openrouter/free')).status).toBe(404);
  });
});

it.each(['responses', 'completions', 'chat', 'files/x', ''])(
  'answers /v1/%s with a JSON 404 that names chats',
  async (path) => {
    const bench = createBench(() => sse(), models);
    const response = await bench.post(path, {});
    expect([response.status, response.headers.get('content-type')]).toEqual([404, 'application/json']);
    expect((await errorOf(response))['message']).toContain('chat.completions');
  },
);

describe('embeddings', () => {
  const entry = modelEntry('e/embed:free', {
    architecture: { input_modalities: ['text'], output_modalities: ['embeddings'] },
  });
  const routes = ({ path }: Sent) => {
    if (path.startsWith('/models?output_modalities=embeddings')) return Response.json({ data: [entry] });
    if (path !== '/embeddings') return undefined;
    return Response.json({
      data: [{ object: 'embedding', index: 0, embedding: [0.5, -2] }],
      usage: { prompt_tokens: 2, total_tokens: 2, cost: 0 },
    });
  };

  it('answers for an exact free id, in base64 when asked', async () => {
    const bench = createBench(() => sse(), models, { routes });
    const ask = async (encoding_format?: string) =>
      jsonOf(
        await bench.post('embeddings', { model: 'e/embed:free', input: ['hi'], encoding_format, user: 'x' }),
      );
    expect(await ask()).toEqual({
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding: [0.5, -2] }],
      model: 'e/embed:free',
      usage: { prompt_tokens: 2, total_tokens: 2 },
    });
    const [item] = (await ask('base64'))['data'] as { embedding: string }[];
    expect([...new Float32Array(fromBase64(item!.embedding).buffer)]).toEqual([0.5, -2]);
    const sent = bench.calls.filter(({ path }) => path === '/embeddings');
    expect(sent[0]!.body).toEqual({ model: 'e/embed:free', input: ['hi'], encoding_format: 'float' });
  });

  it.each(['free', 'text-embedding-3-small', 'a/one-7b:free'])('refuses %s', async (model) => {
    const bench = createBench(() => sse(), models, { routes });
    expect((await bench.post('embeddings', { model, input: 'hi' })).status).toBe(404);
    expect(bench.calls.some(({ path }) => path === '/embeddings')).toBe(false);
  });
});

describe('images', () => {
  it('draws a local subject without a key, and names what it cannot', async () => {
    const asked: DrawRequest[] = [];
    const draw: Draw = {
      subjects: async () => [{ id: 'toy', createdAt: 0 }],
      async draw(request) {
        asked.push(request);
        if (request.prompt === 'bad') throw new AppError('bad-settings', { setting: 'size' });
        return [{ bytes: Uint8Array.of(1, 2, 3), parameters: 'a toy\nSteps: 20' }];
      },
    };
    const bench = createBench(() => sse(), models, { apiKey: () => undefined, draw });
    const body = { model: 'likeness/toy', prompt: 'a toy', size: '512x768', seed: 7 };
    expect((await jsonOf(await bench.post('images/generations', body)))['data']).toEqual([
      { b64_json: 'AQID', model: 'likeness/toy', parameters: 'a toy\nSteps: 20' },
    ]);
    const url = { ...body, response_format: 'url', output_format: 'jpeg' };
    expect((await jsonOf(await bench.post('images/generations', url)))['data']).toMatchObject([
      { url: 'data:image/jpeg;base64,AQID' },
    ]);
    expect(asked).toMatchObject([
      { subject: 'toy', width: 512, height: 768, seed: 7, count: 1, format: 'png' },
      { format: 'jpeg' },
    ]);
    expect((await bench.post('images/generations', { ...body, prompt: 'bad' })).status).toBe(400);
    expect((await bench.post('images/generations', { ...body, model: 'likeness/other' })).status).toBe(404);
    const elsewhere = createBench(() => sse(), models);
    const refusal = await elsewhere.post('images/generations', body);
    expect([refusal.status, (await errorOf(refusal))['message']]).toEqual([
      400,
      'likeness/toy can only be drawn in the page that has the model.',
    ]);
  });

  const prices = (cost: number) => ({
    data: { endpoints: [{ pricing: [{ billable: 'image', unit: 'image', cost_usd: cost }] }] },
  });
  const routes =
    (cost: number) =>
    ({ path }: Sent) => {
      if (path === '/images/models')
        return Response.json({ data: [{ id: 'x/paint:free' }, { id: 'x/paid' }] });
      if (path === '/images/models/x/paint:free/endpoints') return Response.json(prices(cost));
      if (path !== '/images') return undefined;
      return Response.json({
        created: 0,
        data: [{ b64_json: png, media_type: 'image/png' }],
        usage: { cost: 0 },
      });
    };

  it('asks a free image model when there is one, and writes the parameters into a PNG', async () => {
    const bench = createBench(() => sse(), models, { routes: routes(0) });
    const response = await bench.post('images/generations', {
      model: 'dall-e-3',
      prompt: 'a cat',
      size: '1024x1792',
    });
    const [item] = (await jsonOf(response))['data'] as { b64_json: string; model: string }[];
    expect(item!.model).toBe('x/paint:free');
    expect(readPngText(fromBase64(item!.b64_json), 'parameters')).toContain('a cat');
    expect(bench.calls.find(({ path }) => path === '/images')!.body).toEqual({
      model: 'x/paint:free',
      prompt: 'a cat',
      output_format: 'png',
      aspect_ratio: '9:16',
    });
  });

  it('says that there is none where its endpoints cost something', async () => {
    const bench = createBench(() => sse(), models, { routes: routes(0.01) });
    const response = await bench.post('images/generations', { prompt: 'a cat' });
    expect([response.status, (await errorOf(response))['code']]).toEqual([503, 'no_free_model']);
    expect((await bench.post('images/generations', { model: 'x/paid', prompt: 'a cat' })).status).toBe(404);
    expect(bench.calls.some(({ path }) => path === '/images')).toBe(false);
  });
});

it('base64 is that of the platform', () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i % 256);
  expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
  expect(fromBase64(toBase64(bytes))).toEqual(bytes);
});
