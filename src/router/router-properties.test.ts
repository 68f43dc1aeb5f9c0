// What holds whatever happens: random requests, hostile ones too, against random scripts of failures.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Behaviour } from './testing/openrouter-mock/behaviour';
import { availabilityCases, errorCases, networkCases } from './testing/openrouter-mock/error-cases';
import { defaultModels } from './testing/openrouter-mock/fixture-models';
import {
  costlyAnswers,
  streamsCutEarly,
  streamsCutLate,
  streamsLeftOpen,
  wholeStreams,
} from './testing/openrouter-mock/stream-variants';
import { readAnswer } from './testing/checked-answer';
import { virtualNames } from './virtual-models';
import { openLab, type RouterLab } from './testing/router-lab';

/** An error that repeats what it should not know. */
const leaky: Behaviour = {
  kind: 'reply',
  status: 400,
  body: ({ userId, model }) => ({
    error: {
      message: `Key sk-or-v1-mock${'0'.repeat(56)}1 of ${userId} may not use ${model}`,
      code: 400,
      metadata: { raw: `Authorization: Bearer sk-or-v1-mock${'0'.repeat(56)}1`, provider_name: userId },
    },
    user_id: userId,
  }),
};

const behaviours: readonly Behaviour[] = [
  ...Object.values(errorCases),
  ...Object.values(availabilityCases),
  ...Object.values(networkCases),
  ...Object.entries(wholeStreams).flatMap(([name, stream]) =>
    name.startsWith('image-of-2') ? [] : [stream],
  ), // slow
  ...Object.values(streamsCutEarly),
  ...Object.values(streamsCutLate),
  ...Object.values(streamsLeftOpen),
  ...Object.values(costlyAnswers),
  leaky,
];

const script = fc.record({
  coming: fc.array(fc.constantFrom(...behaviours), { maxLength: 6 }),
  standing: fc.oneof(fc.constant<Behaviour>({ kind: 'answer' }), fc.constantFrom(...behaviours)),
});

const anything = fc.jsonValue({ maxDepth: 2 });
/** Mostly nothing: a field too many makes most requests impossible, and those cost no request to test. */
const optional = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 7, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 30 });
const image = {
  type: 'image_url',
  image_url: { url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'auto' },
};
const tools = [
  { type: 'function', function: { name: 'weather', parameters: { type: 'object' }, strict: true } },
];
const user = text.map((content) => ({ role: 'user', content }));
const message = fc.oneof(
  { weight: 12, arbitrary: user },
  {
    weight: 4,
    arbitrary: fc.record({ role: fc.constantFrom('system', 'developer', 'assistant'), content: text }),
  },
  {
    weight: 1,
    arbitrary: text.map((words) => ({ role: 'user', content: [{ type: 'text', text: words }, image] })),
  },
  {
    weight: 1,
    arbitrary: fc.constant({
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c', type: 'function', function: { name: 'weather', arguments: '{}' } }],
    }),
  },
  { weight: 1, arbitrary: text.map((content) => ({ role: 'tool', tool_call_id: 'c', content })) },
);

/** Fields as clients send them. */
const friendly = fc.record({
  model: optional(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...virtualNames, 'gpt-4o') },
      { weight: 2, arbitrary: fc.constantFrom(...defaultModels.map(({ id }) => id)) },
      { weight: 1, arbitrary: fc.string() },
    ),
  ),
  messages: fc.array(message, { minLength: 1, maxLength: 4 }),
  stream: fc.boolean(),
  tools: optional(fc.constant(tools)),
  tool_choice: optional(
    fc.constantFrom('auto', 'none', 'required', { type: 'function', function: { name: 'weather' } }),
  ),
  response_format: optional(
    fc.constantFrom(
      { type: 'json_object' },
      { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } },
    ),
  ),
  max_tokens: optional(fc.integer({ min: 1, max: 1e6 })),
  max_completion_tokens: optional(fc.integer({ min: 1, max: 1e6 })),
  temperature: optional(fc.double({ min: 0, max: 2, noNaN: true })),
  seed: optional(fc.integer()),
  reasoning_effort: optional(fc.constantFrom('none', 'low', 'high')),
  modalities: optional(fc.constantFrom(['text'], ['text', 'image'])),
  router: optional(
    fc.record(
      {
        context: fc.integer({ min: 0, max: 2e6 }),
        authors: fc.subarray(['acme', 'borel', 'delta']),
        sticky: fc.constantFrom('a', 'b'),
        seed: fc.nat(),
        overflow: fc.constantFrom('error', 'trim'),
      },
      { requiredKeys: [] },
    ),
  ),
});

/** Fields that could cost money, leave the free models or reach other services; and any other. */
const hostile = fc.dictionary(
  fc.oneof(
    fc.constantFrom('models', 'route', 'plugins', 'transforms', 'preset', 'web_search_options', 'provider'),
    fc.constantFrom('tools', 'functions', 'n', 'audio', 'store', 'metadata', 'user', 'usage', 'prediction'),
    fc.constantFrom('service_tier', 'session_id', 'include_reasoning', 'image_config', 'prompt', 'messages'),
    fc.string({ maxLength: 8 }),
  ),
  fc.oneof(
    anything,
    fc.constantFrom<unknown>(
      ['acme/grand-400b'],
      [{ id: 'web', enabled: true }],
      [{ type: 'web_search' }],
      { only: ['mock-studio'], max_price: { prompt: 5 }, sort: 'price', secret: 1 },
      { order: ['a'], allow_fallbacks: false, zdr: true },
      2,
    ),
  ),
  { maxKeys: 2 },
);

const body = fc
  .record({ friendly, hostile, isHostile: optional(fc.constant(true)) })
  .map((parts): object => ({ ...parts.friendly, ...(parts.isHostile === true && parts.hostile) }));

type Run = {
  readonly script: { readonly coming: readonly Behaviour[]; readonly standing: Behaviour };
  readonly seed: number;
};

function open({ script: { coming, standing }, seed }: Run, isEager = true): RouterLab {
  const lab = openLab({ seed, isEager });
  lab.mock.script.next(...coming);
  lab.mock.script.always(standing);
  return lab;
}

const run = { script, seed: fc.nat({ max: 1000 }) };

test('no request costs, leaks, breaks a rule of upstream, or costs more than four attempts', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({ ...run, bodies: fc.array(body, { minLength: 1, maxLength: 3 }) }),
      async (given) => {
        const lab = open(given);
        for (const one of given.bodies) {
          const response = await lab.send(one);
          const begun = lab.mock.calls.length; // the commit point: nobody else is asked after it
          const usage = JSON.stringify(one).includes('"include_usage":true');

          const answer = await readAnswer(response, usage);
          lab.check(answer.text, JSON.stringify([...answer.headers]));
          const calls = lab.newCalls();
          expect(lab.mock.calls.length).toBe(begun);
          expect(calls.length).toBeLessThanOrEqual(4);
          if (answer.status === 200) expect(answer.headers.get('x-router-model')).toBe(calls.at(-1));
          expect(lab.mock.calls.map(({ end }) => end)).not.toContain('open');
        }
      },
    ),
    { seed: 1, numRuns: 250 },
  );
});

test('the same body, sent again and again, costs four attempts a minute', async () => {
  await fc.assert(
    fc.asyncProperty(fc.record({ ...run, body }), async (given) => {
      const lab = open(given);
      let failed = 0;
      let sent = 0;
      const start = lab.clock.now();
      for (let i = 0; i < 4; i++) {
        const answer = await lab.ask(given.body);
        sent += lab.newCalls().length;
        if (answer.status === 200) return;
        failed++;
        if (lab.clock.now() - start > 55_000) return; // the virtual minute is over
        expect([failed, sent <= 4]).toEqual([failed, true]);
      }
    }),
    { seed: 2, numRuns: 150 },
  );
});

test('a client that leaves at any moment leaves nothing open', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({ ...run, body, afterMs: fc.constantFrom(0, 1, 500, 5_000, 19_999, 30_000, 61_000) }),
      async (given) => {
        const lab = open(given, false); // time stands still when the client has left
        const left = new AbortController();
        const outcome = lab
          .send(given.body, { signal: left.signal })
          .then((response) => response.text())
          .then(
            () => 'answered',
            (error: unknown) => (left.signal.aborted ? 'left' : error),
          );
        await lab.clock.advance(given.afterMs);
        left.abort();
        expect(['answered', 'left']).toContain(await outcome);
        await lab.clock.advance(0);
        expect(lab.mock.requests.filter(({ end }) => end === 'open')).toEqual([]);
        lab.check();
      },
    ),
    { seed: 3, numRuns: 150 },
  );
});
