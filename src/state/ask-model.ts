// One question to the router and its answer, live in a store of its own; then the tools that the model called, and its word on them.
import { isAbort } from '../base/errors';
import { pageHooks, type RouterEvent } from '../router/page-hooks';
import type { Router } from '../router/router';
import type { Piece } from '../router/upstream-stream';
import type { App } from './app';
import { chatBody } from './chat-body';
import { emptyLive, type AnswerFailure, type Attempt, type ChatAnswer, type LiveAnswer } from './chat-state';
import { runTool } from './draw-tool';
import { canDo } from './free-models-state';

/** Questions that one message may lead to: each spends one of the day's requests. */
const mostRounds = 3;

/** The page's router answers everywhere; this only fills the place of an address. */
const chatUrl = 'https://router.invalid/v1/chat/completions';

export type Said = {
  readonly text: string;
  readonly imageIds: readonly string[];
  readonly answer: ChatAnswer;
};

type Again = { readonly replaced: string | undefined };

/**
 * Asks for an answer to the conversation and hands each finished part to `keep`: one, or more where the model called tools.
 * `controller` stops it, and stands in the live store already. `again`: an answer is made anew. Failures and stops are answers too.
 */
export async function askModel(
  app: App,
  controller: AbortController,
  keep: (said: Said) => Promise<void>,
  again?: Again,
): Promise<void> {
  for (let round = 1; round <= mostRounds; round++) {
    const said = await askOnce(app, controller, round < mostRounds, again);
    const withTools = await runTools(app, said);
    await keep(withTools);
    if (said.answer.calls.length === 0 || controller.signal.aborted) return;
    app.live.setState(emptyLive(controller), true);
  }
}

async function runTools(app: App, said: Said): Promise<Said> {
  if (said.answer.calls.length === 0) return said;
  show(app, { phase: 'drawing' });
  const imageIds: string[] = [];
  const calls: ChatAnswer['calls'][number][] = [];
  for (const call of said.answer.calls) {
    const { result, imageIds: drawn } = await runTool(app, call);
    calls.push({ ...call, result });
    imageIds.push(...drawn);
  }
  return { ...said, imageIds, answer: { ...said.answer, calls } };
}

function show(app: App, patch: Partial<LiveAnswer>): void {
  const live = app.live.getState();
  if (live) app.live.setState({ ...live, ...patch }, true);
}

async function askOnce(
  app: App,
  controller: AbortController,
  mayCallTools: boolean,
  again: Again | undefined,
): Promise<Said> {
  const settings = app.chatSettings.getState();
  const { messages } = app.chat.getState();
  const attempts: Attempt[] = [];
  const told = createTally(app.services.now);
  let model: string | null = null;
  let leftOut = 0;
  const end = (how: ChatAnswer['end'], failure: AnswerFailure | null = null): Said => ({
    text: told.text,
    imageIds: [],
    answer: {
      asked: settings.model,
      model,
      attempts,
      reasoning: told.reasoning,
      tokensPerSecond: told.tokensPerSecond(),
      leftOut,
      calls: how === 'done' ? told.calls() : [],
      end: how,
      failure,
    },
  });

  const router = app.router.getState();
  if (router === undefined) {
    return end('failed', { status: 503, code: 'not_loaded', message: 'The router is still loading.' });
  }
  const { AttemptError } = await import('../router/failure');
  try {
    const offersTool =
      mayCallTools && settings.drawsItself && canDo(settings.model, modelsOf(router), 'tools');
    const body = await chatBody({
      settings,
      messages,
      drawing: offersTool ? { subject: subjectWords(app) } : undefined,
      replaced: again?.replaced,
    });
    const response = await router.fetch(chatUrl, {
      method: 'POST',
      body: JSON.stringify(body),
      signal: controller.signal,
      [pageHooks]: { isFresh: again !== undefined, onEvent: (event) => follow(app, attempts, event) },
    });
    if (!response.ok) return end('failed', await failureOf(response));
    model = response.headers.get('x-router-model');
    leftOut = Number(/messages=(\d+)/.exec(response.headers.get('x-router-dropped') ?? '')?.[1] ?? 0);
    show(app, { phase: 'answering', model: model ?? undefined });
    const { readPieces } = await import('../router/upstream-stream');
    for await (const group of readPieces(response, app.services.now, () => {}, controller.signal)) {
      for (const piece of group) told.add(piece);
      show(app, { text: told.text, reasoning: told.reasoning });
    }
    if (controller.signal.aborted) return end('stopped');
    return end(told.end());
  } catch (error) {
    if (controller.signal.aborted || isAbort(error)) return end('stopped');
    if (!(error instanceof AttemptError)) throw error;
    return end('failed', { status: 502, code: 'broken_off', message: error.failure.message });
  }
}

const modelsOf = (router: Router) => router.status.get().models;

/** The words that mean the chosen subject in a prompt, where a person gave some. */
function subjectWords(app: App): string | undefined {
  const { subjectId } = app.chat.getState();
  const subject = app.subjects.getState().find(({ id }) => id === subjectId);
  if (subject === undefined) return undefined;
  return subject.kind === 'run' ? `${subject.subjectWord} ${subject.className}`.trim() : subject.name;
}

/** The events before the answer begins. Reasoning of an attempt that failed is void. */
function follow(app: App, attempts: Attempt[], event: RouterEvent): void {
  switch (event.kind) {
    case 'waiting':
      return show(app, { phase: 'waiting', waitingUntil: event.until });
    case 'attempt-start':
      return show(app, { phase: 'asking', model: event.model, reasoning: '' });
    case 'reasoning':
      return show(app, { reasoning: (app.live.getState()?.reasoning ?? '') + event.text });
    case 'attempt-end': {
      const { model, durationMs, failure = null, message = null } = event.attempt;
      attempts.push({ model, durationMs, failure, message });
      return show(app, { attempts: [...attempts], ...(failure !== null && { reasoning: '' }) });
    }
  }
}

/** The router's error answers are OpenAI's: an object with message and code. */
async function failureOf(response: Response): Promise<AnswerFailure> {
  const body = (await response.json()) as {
    readonly error: { readonly code: string; readonly message: string };
  };
  return { status: response.status, code: body.error.code, message: body.error.message };
}

/** Least length of an answer for its speed to mean something, in ms after its first piece. */
const shortestMs = 200;

/** Adds up an answer piece by piece. */
function createTally(now: () => number) {
  let text = '';
  let reasoning = '';
  let tokens: number | undefined;
  let finish: Piece['finish'];
  let firstAt: number | undefined;
  let lastAt = 0;
  const calls = new Map<number, { id: string; name: string; arguments: string }>();
  return {
    get text() {
      return text;
    },
    get reasoning() {
      return reasoning;
    },
    add(piece: Piece): void {
      firstAt ??= now();
      lastAt = now();
      text += piece.text + piece.refusal;
      reasoning += piece.reasoning;
      tokens = piece.usage?.completion_tokens ?? tokens;
      finish = piece.finish ?? finish;
      for (const { index, start, arguments: part } of piece.toolCalls) {
        if (start) calls.set(index, { ...start, arguments: '' });
        const call = calls.get(index);
        if (call) call.arguments += part;
      }
    },
    calls: () => [...calls.values()].map((call) => ({ ...call, result: '' })),
    end: (): ChatAnswer['end'] =>
      finish === 'length' ? 'length' : finish === 'content_filter' ? 'filtered' : 'done',
    tokensPerSecond(): number | null {
      const ms = lastAt - (firstAt ?? lastAt);
      return tokens === undefined || ms < shortestMs ? null : (tokens / ms) * 1000;
    },
  };
}
