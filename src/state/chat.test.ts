// The actions of the conversation, with the real router against the mock of OpenRouter.
import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import { errorCases } from '../router/testing/openrouter-mock/error-cases';
import { createBrowserFetch } from '../router/testing/openrouter-mock/browser-fetch';
import { createOpenRouterMock, type OpenRouterMock } from '../router/testing/openrouter-mock/mock';
import { clearMessages, listMessages } from '../storage/chats';
import type { App } from './app';
import {
  editChatSettings,
  editMessage,
  needsConsent,
  prepareAttachment,
  regenerate,
  retryStopped,
  sendMessage,
  stopAnswer,
} from './chat';
import { readModels } from './free-models';
import { canDo } from './free-models-state';
import { pasteKey } from './openrouter-key';
import { openRouter } from './router';
import type { FakeEngine } from './testing/fake-engine';
import { startTestApp } from './testing/test-app';

type ChatApp = { readonly app: App; readonly engine: FakeEngine; readonly mock: OpenRouterMock };

let keys = 0;

/** A page with its router, a key of its own and consent. */
async function openChatApp(): Promise<ChatApp> {
  const clock = {
    now: () => Date.now(),
    sleep: (_: number, signal: AbortSignal) =>
      new Promise<void>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      }),
  };
  const mock = createOpenRouterMock({ clock, firstKey: `sk-or-v1-key${++keys}` });
  const { app, engine } = await startTestApp({
    fetch: createBrowserFetch(mock.handle),
    now: () => Date.now(),
  });
  await clearMessages();
  await openRouter(app);
  await pasteKey(app, mock.firstKey, 'tab');
  await readModels(app);
  editChatSettings(app, { hasAgreed: true });
  return { app, engine, mock };
}

const says = (content: string) => ({ kind: 'answer', answer: { content } }) as const;
const spoken = (app: App) => app.chat.getState().messages.map(({ text }) => text);
const lastAnswer = (app: App) => app.chat.getState().messages.at(-1)!.answer!;
const messagesOf = (mock: OpenRouterMock, call: number) => mock.calls[call]!.body['messages'];

test('nothing is sent before consent; then the answer is kept with its model and its attempts', async () => {
  const { app, mock } = await openChatApp();
  editChatSettings(app, { hasAgreed: false });
  expect([needsConsent(app, 'hi'), needsConsent(app, '/imagine a dog')]).toEqual([true, false]);
  await sendMessage(app, 'hi');
  expect([mock.calls.length, spoken(app)]).toEqual([0, []]);

  editChatSettings(app, { hasAgreed: true });
  mock.script.next(errorCases['E20-pool'], says('Hello.'));
  await sendMessage(app, ' hi ');
  expect(spoken(app)).toEqual(['hi', 'Hello.']);
  const [first, second] = mock.calls.map(({ model }) => model);
  const answer = lastAnswer(app);
  expect(answer).toMatchObject({ asked: 'free', model: second, end: 'done', failure: null, leftOut: 0 });
  expect(answer.attempts.map(({ model, failure }) => [model, failure])).toEqual([
    [first, 'pool'],
    [second, null],
  ]);
  expect(await listMessages()).toEqual(app.chat.getState().messages);
  expect(app.live.getState()).toBeUndefined();
  expect(app.free.getState().status?.models.find(({ id }) => id === first)?.coolDown?.cause).toBe('pool');
});

test('an edited message replaces what followed; another answer is asked of another model', async () => {
  const { app, mock } = await openChatApp();
  mock.script.next(says('one'), says('two'), says('three'), says('four'));
  await sendMessage(app, 'a');
  await sendMessage(app, 'b');
  expect(messagesOf(mock, 1)).toEqual([
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'one' },
    { role: 'user', content: 'b' },
  ]);
  expect(mock.calls[1]!.model).toBe(mock.calls[0]!.model);
  await editMessage(app, app.chat.getState().messages[2]!.id, 'c');
  expect(spoken(app)).toEqual(['a', 'one', 'c', 'three']);
  await regenerate(app, app.chat.getState().messages[1]!.id);
  expect(spoken(app)).toEqual(['a', 'four']);
  expect(messagesOf(mock, 3)).toEqual([{ role: 'user', content: 'a' }]);
  expect((await listMessages()).map(({ text }) => text)).toEqual(['a', 'four']);
});

test('reasoning is live before the answer, void after a hop, and kept with the answer', async () => {
  const { app, mock } = await openChatApp();
  mock.script.next(
    { kind: 'answer', answer: { reasoning: 'Lost thoughts.', content: '' } },
    { kind: 'answer', answer: { reasoning: 'I see.', content: 'Yes.' } },
  );
  const live: string[] = [];
  app.live.subscribe((now) => now && live.push(now.reasoning));
  await sendMessage(app, 'why?');
  expect(live).toContain('Lost thoughts.');
  expect(live.at(-1)).toBe('I see.');
  expect(lastAnswer(app).reasoning).toBe('I see.');
});

test('a stop keeps what has arrived and closes the upstream', async () => {
  const { app, mock } = await openChatApp();
  mock.script.next({
    kind: 'answer',
    answer: { content: 'one two three' },
    delivery: { cut: { after: 3, by: 'hang' } },
  });
  const sent = sendMessage(app, 'count');
  await expect.poll(() => app.live.getState()?.text).toContain('one');
  stopAnswer(app);
  await sent;
  expect(lastAnswer(app).end).toBe('stopped');
  expect(spoken(app)[1]).toContain('one');
  await expect.poll(() => mock.calls[0]!.end).toBe('aborted');
});

test('an answer that breaks off keeps its beginning and says why', async () => {
  const { app, mock } = await openChatApp();
  const broken = { cut: { after: 3, by: 'full' } } as const;
  mock.script.next({ kind: 'answer', answer: { content: 'one two three' }, delivery: broken });
  await sendMessage(app, 'count');
  expect(spoken(app)[1]).toContain('one');
  expect(lastAnswer(app)).toMatchObject({ end: 'failed', failure: { code: 'broken_off' } });
});

test('a spent day is answered here until the person asks again', async () => {
  const { app, mock } = await openChatApp();
  mock.script.next(errorCases['E17-day'], says('Good morning.'));
  await sendMessage(app, 'hi');
  expect(lastAnswer(app)).toMatchObject({
    end: 'failed',
    failure: { status: 429, code: 'insufficient_quota' },
  });
  expect(app.free.getState().status?.stops.map(({ kind }) => kind)).toEqual(['day']);
  await regenerate(app, app.chat.getState().messages[1]!.id);
  expect(mock.calls).toHaveLength(1);
  await sendMessage(app, 'still?');
  expect(mock.calls).toHaveLength(1);
  await retryStopped(app, app.chat.getState().messages.at(-1)!.id);
  expect(spoken(app)).toEqual(['hi', '', 'still?', 'Good morning.']);
  // a failed answer is no part of the conversation
  expect(messagesOf(mock, 1)).toEqual([
    { role: 'user', content: 'hi' },
    { role: 'user', content: 'still?' },
  ]);
});

test('pictures go as data URLs; draw_image draws, and its result goes back to the model', async () => {
  const { app, engine, mock } = await openChatApp();
  const call = { id: 'call_1', name: 'draw_image', arguments: '{"prompt":"a red toy"}' };
  const wrong = { ...call, id: 'call_2', arguments: '{"prompt":' };
  mock.script.next(
    { kind: 'answer', answer: { content: null, toolCalls: [call, wrong] } },
    says('There it is.'),
  );
  editChatSettings(app, { model: 'delta/everything:free', drawsItself: true });
  const picture = await prepareAttachment(app, new Blob(['photo']));
  const sent = sendMessage(app, 'Draw this', [picture!]);
  await expect.poll(() => engine.drawn.length).toBe(1);
  const { request, job } = engine.drawn[0]!;
  expect(request.prompt).toBe('a red toy');
  job.give({ kind: 'image-ready', image: 0, seed: 7, png: new Blob(['drawn']) });
  job.end({ images: 1, secondsPerStep: 1 });
  await sent;

  expect(await picture!.text()).toBe('photo ≤ 1536');
  const wire = messagesOf(mock, 1) as readonly Record<string, unknown>[];
  expect(wire[0]!['content']).toEqual([
    { type: 'text', text: 'Draw this' },
    { type: 'image_url', image_url: { url: expect.stringMatching(/^data:image\/jpeg;base64,/) as string } },
  ]);
  expect(wire.slice(2)).toEqual([
    { role: 'tool', tool_call_id: 'call_1', content: '{"shown":true,"prompt":"a red toy"}' },
    { role: 'tool', tool_call_id: 'call_2', content: expect.stringContaining('error') as string },
  ]);
  const [, drawn, last] = app.chat.getState().messages;
  expect(drawn!.imageIds).toHaveLength(1);
  expect(last!.text).toBe('There it is.');
});

test('the tool is offered only where it is wanted and the model has tools', async () => {
  const { app, mock } = await openChatApp();
  mock.script.always(says('Fine.'));
  const offered = async (model: string, drawsItself: boolean) => {
    editChatSettings(app, { model, drawsItself });
    await sendMessage(app, `${model} ${drawsItself}`);
    return 'tools' in mock.calls.at(-1)!.body;
  };
  expect(await offered('borel/tool-70b:free', true)).toBe(true);
  expect(await offered('borel/tool-70b:free', false)).toBe(false);
  expect(await offered('acme/plain-8b:free', true)).toBe(false);
  const models = app.free.getState().status!.models;
  expect(canDo('free:vision', models, 'tools')).toBe(true); // delta/everything
  expect(canDo('acme/eye-12b:free', models, 'tools')).toBe(false);
  expect(canDo('acme/gone:free', models, 'vision')).toBe(false);
});
