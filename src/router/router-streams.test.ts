// Every stream that was seen, against the whole router: whole ones arrive whole, early failures are hopped over, late ones are told.
import { describe, expect, test } from 'vitest';
import type { Answer, Behaviour } from './testing/openrouter-mock/behaviour';
import {
  costlyAnswers,
  streamsCutEarly,
  streamsCutLate,
  streamsLeftOpen,
  wholeStreams,
} from './testing/openrouter-mock/stream-variants';
import { noon, openLab } from './testing/router-lab';

const both = [{ stream: true }, { stream: false }];
const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }];

function saidBy(behaviour: Behaviour): Answer {
  return behaviour.kind === 'answer' ? (behaviour.answer ?? {}) : {};
}

describe.each(both)('asked with $stream', ({ stream }) => {
  test.each(Object.entries(wholeStreams))('“%s” arrives whole', async (_, behaviour: Behaviour) => {
    const lab = openLab();
    lab.mock.script.next(behaviour);
    const said = saidBy(behaviour);
    const answer = await lab.ask({ stream, ...(said.toolCalls && { tools }) });
    const [model] = lab.newCalls();
    expect(answer).toMatchObject({
      status: 200,
      content:
        said.content === null || said.toolCalls
          ? (said.content ?? '')
          : (said.content ?? `Hello from ${model} today.`),
      refusal: said.refusal ?? '',
      reasoning: said.reasoning ?? '',
      calls: said.toolCalls ?? [],
      images: said.images ?? [],
      finish: said.finish ?? (said.toolCalls ? 'tool_calls' : 'stop'),
    });
    expect(answer.headers.get('x-router-model')).toBe(model);
    expect(lab.mock.calls.map(({ end }) => end)).toEqual(['sent']);
  });

  test.each(Object.entries(streamsLeftOpen))('“%s” is a whole answer', async (_, behaviour: Behaviour) => {
    const lab = openLab();
    lab.mock.script.next(behaviour);
    const answer = await lab.ask({ stream });
    const calls = lab.newCalls();
    expect(answer).toMatchObject({ status: 200, content: `Hello from ${calls[0]} today.`, finish: 'stop' });
    expect(calls).toHaveLength(1);
    expect(lab.mock.calls[0]?.end).not.toBe('open');
    expect(lab.clock.now() - noon).toBeLessThanOrEqual(5_000); // silence after the finish is not waited for long
  });

  test.each(Object.entries(streamsCutEarly))('“%s” is hopped over', async (_, behaviour) => {
    const lab = openLab();
    lab.mock.script.next(behaviour);
    const answer = await lab.ask({ stream });
    const calls = lab.newCalls();
    expect([answer.status, answer.content, calls.length]).toEqual([200, `Hello from ${calls[1]} today.`, 2]);
    expect(lab.mock.calls.map(({ end }) => end)).not.toContain('open');
  });
});

test.each(Object.entries(streamsCutLate))(
  '“%s” is told in the stream, and nobody else is asked',
  async (_, behaviour) => {
    const lab = openLab();
    lab.mock.script.next(behaviour);
    const answer = await lab.ask({ stream: true });
    expect([answer.status, answer.content, answer.finish]).toEqual([200, 'Hello from ', undefined]);
    expect(answer.error).toBeDefined();
    expect(lab.newCalls()).toHaveLength(1);
    expect(lab.mock.calls[0]?.end).not.toBe('open');
  },
);

test.each(Object.entries(streamsCutLate))(
  '“%s” is an error, not half an answer, where nothing was streamed',
  async (_, behaviour) => {
    const lab = openLab();
    lab.mock.script.always(behaviour);
    const answer = await lab.ask({ stream: false });
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(lab.newCalls().length).toBeLessThanOrEqual(4);
  },
);

describe('usage', () => {
  test.each(['with-choice', 'without-choices'] as const)(
    'sent upstream %s, it is one chunk for those who ask',
    async (usage) => {
      const lab = openLab();
      lab.mock.script.always({ kind: 'answer', answer: { content: 'One two three' }, delivery: { usage } });
      const answer = await lab.ask({ stream: true, stream_options: { include_usage: true } });
      expect(answer.usage).toMatchObject({ prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 });
      expect((await lab.ask({ stream: true })).usage).toBeUndefined();
      expect((await lab.ask({ stream: false })).usage).toMatchObject({ total_tokens: 15 });
    },
  );
});

describe('an answer that costs', () => {
  test.each(Object.entries(costlyAnswers))(
    '%s: given, told, and its model not asked again',
    async (_, behaviour) => {
      const lab = openLab({ account: { isUnlimited: true } });
      lab.mock.script.next(behaviour);
      expect((await lab.ask({ stream: true })).status).toBe(200);
      const [costly] = lab.newCalls();
      expect(lab.router.status.get().notices).toMatchObject([{ kind: 'cost', model: costly }]);
      for (let i = 0; i < 60; i++) await lab.ask({ messages: [{ role: 'user', content: `${i}` }] });
      expect(lab.newCalls()).not.toContain(costly);
      expect((await lab.ask({ model: costly })).status).toBe(404);
    },
  );
});

describe('a client that leaves', () => {
  const hang: Behaviour = { kind: 'answer', delivery: { cut: { after: 2, by: 'hang' } } };

  test('before the first token', async () => {
    const lab = openLab({ isEager: false });
    lab.mock.script.always({ kind: 'no-answer', how: 'silence' });
    const left = new AbortController();
    const pending = lab.send({ stream: true }, { signal: left.signal });
    await expect.poll(() => lab.mock.calls.length).toBe(1);
    left.abort();
    await expect(pending).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }) as Error);
    expect(lab.mock.calls.map(({ end }) => end)).toEqual(['aborted']);
  });

  test('in the middle, by its signal', async () => {
    const lab = openLab();
    lab.mock.script.always(hang);
    const left = new AbortController();
    const response = await lab.send({ stream: true }, { signal: left.signal });
    left.abort();
    await expect(response.text()).rejects.toThrow();
    expect(lab.mock.calls.map(({ end }) => end)).toEqual(['aborted']);
  });

  test('in the middle, by cancelling the body', async () => {
    const lab = openLab();
    lab.mock.script.always(hang);
    const response = await lab.send({ stream: true });
    await response.body!.cancel();
    await expect.poll(() => lab.mock.calls[0]?.end).toBe('aborted');
    expect(lab.newCalls()).toHaveLength(1);
  });

  test('while it waits for the minute', async () => {
    const lab = openLab({ isEager: false });
    const left = new AbortController();
    await Promise.all(
      Array.from({ length: 18 }, (_, i) => lab.ask({ messages: [{ role: 'user', content: `${i}` }] })),
    );
    const count = lab.mock.calls.length;
    const pending = lab.send({}, { signal: left.signal });
    const outcome = pending.then(
      () => 'answered',
      () => 'rejected',
    );
    await expect.poll(() => lab.clock.sleepers()).toBe(1);
    left.abort();
    expect(await outcome).toBe('rejected');
    await lab.clock.advance(61_000);
    expect(lab.mock.calls.length).toBe(count);
  });
});

test('a hundred streams at once lose nothing', async () => {
  // The router keeps to the minute of an account, so a hundred at once are those of eight keys.
  const keyCount = 8;
  let next = 0;
  const keyOf = (i: number) => `sk-or-v1-crowd-${i}`;
  const lab = openLab({ account: { isUnlimited: true }, router: { apiKey: () => keyOf(next++ % keyCount) } });
  for (let i = 0; i < keyCount; i++) lab.mock.addKey(keyOf(i), lab.mock.account);
  const words = Array.from({ length: 200 }, (_, i) => `w${i}é`).join(' ');
  lab.mock.script.always({ kind: 'answer', answer: { content: words }, delivery: { splitBytes: 7 } });
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      lab.ask({ stream: true, messages: [{ role: 'user', content: `${i}` }] }),
    ),
  );
  const whole = answers.filter(({ content, finish }) => content === words && finish === 'stop');
  expect(whole).toHaveLength(100);
});
