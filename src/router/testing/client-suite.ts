// What a program written for OpenAI's API does, with the real `openai` client, unmodified and with its own retries, against any door of
// the router: the injected fetch, the dev server's `/v1`.
import type { OpenAI as OpenAIClient } from 'openai-6';
import type * as zodHelpers from 'openai-6/helpers/zod';
import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { embed } from './openrouter-mock/embeddings';
import { errorCases, type ErrorCase } from './openrouter-mock/error-cases';
import type { OpenRouterMock } from './openrouter-mock/mock';
import {
  chunkSchema,
  completionSchema,
  embeddingsSchema,
  imagesSchema,
  modelListSchema,
  modelSchema,
} from './openai-schemas';

type Package = { readonly default: typeof OpenAIClient };
type Helpers = typeof zodHelpers;

/** The two majors under one type: the newer one's is a superset, and what it answers is checked by values. */
const versions = [
  {
    version: 6,
    load: (): Promise<unknown> => import('openai-6'),
    help: (): Promise<unknown> => import('openai-6/helpers/zod'),
  },
  {
    version: 7,
    load: (): Promise<unknown> => import('openai-7'),
    help: (): Promise<unknown> => import('openai-7/helpers/zod'),
  },
];

/** One open door. */
export type Door = {
  readonly mock: OpenRouterMock;
  readonly baseURL: string;
  readonly apiKey: string;
  readonly fetch?: typeof globalThis.fetch;
  /** Whether this door draws: `likeness/toy`. */
  readonly draws: boolean;
};

const messages = [{ role: 'user' as const, content: 'Say hello.' }];
const weather = {
  type: 'function' as const,
  function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
};
const call = { id: 'call_1', name: 'weather', arguments: '{"city":"Łódź"}' };

/** A failure, the client's class for it, and what it says. */
const failures: readonly (readonly [ErrorCase, string, number, string])[] = [
  ['E15-input', 'BadRequestError', 400, 'invalid_request'],
  ['E2-user', 'AuthenticationError', 401, 'invalid_api_key'],
  ['E6-moderation', 'PermissionDeniedError', 403, 'content_policy_violation'],
  ['E10-training', 'PermissionDeniedError', 403, 'data_policy'],
  ['E17-day', 'RateLimitError', 429, 'insufficient_quota'],
  ['E3-credits', 'APIError', 402, 'insufficient_quota'],
  ['E21-502', 'InternalServerError', 503, 'upstream_error'],
  ['E23-stop', 'InternalServerError', 503, 'empty_answer'],
];

/** The suite against the doors that `open` opens, one for each test, with a mock and a key that nobody has used. */
export function describeClients(where: string, open: () => Door): void {
  describe.each(versions)(`openai $version at ${where}`, ({ load, help }) => {
    let door: Door;
    let client: InstanceType<Package['default']>;
    let OpenAI: Package['default'];
    let helpers: Helpers;
    beforeEach(async () => {
      door = open();
      OpenAI = ((await load()) as Package).default;
      helpers = (await help()) as Helpers;
      const { baseURL, apiKey, fetch } = door;
      client = new OpenAI({ baseURL, apiKey, ...(fetch && { fetch }) });
    });

    test('a whole answer, with its headers', async () => {
      const { data, response } = await client.chat.completions
        .create({ model: 'free', messages })
        .withResponse();
      completionSchema.parse(data);
      const model = door.mock.calls[0]?.model;
      expect(data.choices[0]?.message.content).toBe(`Hello from ${model} today.`);
      expect(response.headers.get('x-router-model')).toBe(model);
      expect(response.headers.get('x-router-attempts')).toBe('1');
      expect(data).toHaveProperty('_request_id', response.headers.get('x-request-id'));
    });

    test('a stream, with usage', async () => {
      const stream = await client.chat.completions.create({
        model: 'gpt-4o-mini',
        messages,
        stream: true,
        stream_options: { include_usage: true },
      });
      let text = '';
      let total: number | undefined;
      for await (const chunk of stream) {
        chunkSchema.parse(chunk);
        text += chunk.choices[0]?.delta.content ?? '';
        total = chunk.usage?.total_tokens ?? total;
      }
      expect(text).toBe(`Hello from ${door.mock.calls[0]?.model} today.`);
      expect(total).toBe(16);
    });

    test('the .stream() helper', async () => {
      const runner = client.chat.completions.stream({ model: 'free', messages });
      const deltas: string[] = [];
      runner.on('content', (delta) => deltas.push(delta));
      const content = `Hello from ${(await runner.finalChatCompletion()).model} today.`;
      expect(await runner.finalContent()).toBe(content);
      expect(deltas.join('')).toBe(content);
      expect(deltas.length).toBeGreaterThan(1);
    });

    test('tools: streamed calls, and a run to its end', async () => {
      const second = { id: 'call_2', name: 'weather', arguments: '{"city":"Oslo"}' };
      const twoCalls = { kind: 'answer' as const, answer: { toolCalls: [call, second] } };
      door.mock.script.next(twoCalls, twoCalls, { kind: 'answer', answer: { content: 'Cold in both.' } });
      const runner = client.chat.completions.stream({ model: 'free', messages, tools: [weather] });
      const { choices } = await runner.finalChatCompletion();
      expect(
        choices[0]?.message.tool_calls?.map((one) => one.type === 'function' && one.function.arguments),
      ).toEqual([call.arguments, second.arguments]);
      const asked: unknown[] = [];
      const run = client.chat.completions.runTools({
        model: 'free',
        messages,
        tools: [
          {
            type: 'function',
            function: {
              name: 'weather',
              description: 'The weather of a city.',
              parameters: { type: 'object' },
              parse: (text: string) => z.object({ city: z.string() }).parse(JSON.parse(text)),
              function: (input: object) => {
                asked.push(input);
                return '-3 °C';
              },
            },
          },
        ],
      });
      expect(await run.finalContent()).toBe('Cold in both.');
      expect(asked).toEqual([{ city: 'Łódź' }, { city: 'Oslo' }]);
    });

    test('.parse() with a schema, and with a tool of one', async () => {
      const Event = z.object({ name: z.string(), day: z.number() });
      door.mock.script.next(
        { kind: 'answer', answer: { content: '{"name":"party","day":3}' } },
        {
          kind: 'answer',
          answer: { toolCalls: [{ ...call, name: 'event', arguments: '{"name":"x","day":1}' }] },
        },
      );
      const parsed = await client.chat.completions.parse({
        model: 'free',
        messages,
        response_format: helpers.zodResponseFormat(Event, 'event'),
      });
      expect(parsed.choices[0]?.message.parsed).toEqual({ name: 'party', day: 3 });
      const called = await client.chat.completions.parse({
        model: 'free',
        messages,
        tools: [helpers.zodFunction({ name: 'event', parameters: Event })],
      });
      expect(called.choices[0]?.message.tool_calls?.[0]?.function.parsed_arguments).toEqual({
        name: 'x',
        day: 1,
      });
    });

    test('lists models and finds one; a name with a slash and a colon too', async () => {
      const page = await client.models.list();
      modelListSchema.parse({ object: page.object, data: page.data });
      const ids = page.data.map(({ id }) => id);
      expect(ids).toEqual(expect.arrayContaining(['free', 'free:vision', 'acme/plain-8b:free']));
      for (const trap of ['openrouter/free', 'openrouter/zeta-alpha', 'acme/grand-400b', 'sly/fee-7b:free']) {
        expect(ids).not.toContain(trap);
      }
      for (const id of ['free:tools', 'acme/plain-8b:free']) {
        const model = await client.models.retrieve(id);
        modelSchema.parse(model);
        expect(model.id).toBe(id);
      }
      await expect(client.models.retrieve('acme/grand-400b')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    });

    test('pictures: drawn here, or told why not', async () => {
      const order = { model: 'likeness/toy', prompt: 'a toy', response_format: 'b64_json' as const };
      if (!door.draws) {
        await expect(client.images.generate(order)).rejects.toBeInstanceOf(OpenAI.BadRequestError);
        return;
      }
      const images = await client.images.generate({ ...order, n: 2 });
      imagesSchema.parse(images);
      expect(images.data).toHaveLength(2);
      const { data } = await client.images.generate({ ...order, response_format: 'url' });
      expect(data?.[0]?.url).toMatch(/^data:image\/png;base64,/);
      const free = { model: 'dall-e-3', prompt: 'a toy' };
      await expect(client.images.generate(free)).rejects.toBeInstanceOf(OpenAI.APIError);
      expect(door.mock.calls).toEqual([]);
    });

    test('embeddings of an exact free id: floats, and base64 underneath', async () => {
      const model = 'embed/small-embed:free';
      const input = ['one', 'deux'];
      for (const format of [undefined, 'float'] as const) {
        const answer = await client.embeddings.create({
          model,
          input,
          ...(format && { encoding_format: format }),
        });
        embeddingsSchema.parse(answer);
        for (const [i, { embedding }] of answer.data.entries()) {
          const expected = embed(model, input[i]!);
          expect([...embedding]).toEqual(expected.map((value) => expect.closeTo(value, 5) as number));
        }
      }
      for (const paid of ['embed/paid-embed', 'text-embedding-3-small', 'free']) {
        await expect(client.embeddings.create({ model: paid, input })).rejects.toBeInstanceOf(
          OpenAI.NotFoundError,
        );
      }
      expect(new Set(door.mock.calls.map((one) => one.model))).toEqual(new Set([model]));
    });

    test.each(failures)('%s is a %s, and retries cost nothing more', async (name, type, status, code) => {
      door.mock.script.always(errorCases[name]);
      for (const stream of [false, true]) {
        const failure: unknown = await client.chat.completions
          .create({ model: 'free', messages, stream })
          .then(
            () => undefined,
            (error: unknown) => error,
          );
        const kind = OpenAI[type as keyof typeof OpenAI] as typeof OpenAI.APIError;
        expect(failure).toBeInstanceOf(kind);
        expect(failure).toMatchObject({ status, code });
      }
      const again = client.chat.completions.create({ model: 'free', messages, stream: false });
      await expect(again).rejects.toThrow();
      expect(door.mock.calls.length).toBeLessThanOrEqual(2 * 4); // two bodies
    });

    test('a refused field names itself', async () => {
      const request = { model: 'free', messages, models: ['acme/grand-400b'] };
      await expect(client.chat.completions.create(request)).rejects.toMatchObject({
        status: 400,
        param: 'models',
      });
      await expect(
        client.chat.completions.create({ model: 'acme/grand-400b', messages }),
      ).rejects.toBeInstanceOf(OpenAI.NotFoundError);
      expect(door.mock.calls).toEqual([]);
    });

    test('a stream that breaks throws after its words', async () => {
      door.mock.script.always({ kind: 'answer', delivery: { cut: { after: 2, by: 'full' } } });
      const stream = await client.chat.completions.create({ model: 'free', messages, stream: true });
      let text = '';
      const read = async () => {
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      };
      await expect(read()).rejects.toBeInstanceOf(OpenAI.APIError);
      expect(text).toBe('Hello from ');
      expect(door.mock.calls).toHaveLength(1);
    });

    test('leaving a stream closes the upstream', async () => {
      door.mock.script.always({ kind: 'answer', delivery: { cut: { after: 2, by: 'hang' } } });
      const stream = await client.chat.completions.create({ model: 'free', messages, stream: true });
      for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
      await expect.poll(() => door.mock.calls[0]?.end).toBe('aborted');
      expect(door.mock.calls).toHaveLength(1);
    });
  });
}
