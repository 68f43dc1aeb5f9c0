// The conversation: with a free model through the router, and drawing on this machine by "/imagine …".
import { clearMessages, deleteMessages, listMessages, saveMessage } from '../storage/chats';
import type { App } from './app';
import { attempt } from './attempt';
import type { Said } from './ask-model';
import { emptyLive, type ChatSettings, type Message } from './chat-state';
import { draw, stopDrawing } from './drawing';
import { emptyForm, requestOf } from './drawing-state';
import { liftStops } from './free-models';

const command = /^\/imagine(?:\s+([^]*))?$/i;

/** Longest side of a picture that is sent with a message, in pixels: what vision models look at. */
const attachedSide = 1536;

/** What `/imagine` is asked to draw; '' where nothing follows it; undefined where the message is something else. */
export function imaginePrompt(text: string): string | undefined {
  const match = command.exec(text.trim());
  return match ? (match[1] ?? '').trim() : undefined;
}

/** Reads the conversation that was kept. */
export async function openChat(app: App): Promise<void> {
  const messages = await attempt(app, () => listMessages());
  if (messages) app.chat.setState({ messages });
}

/** Chooses whom `/imagine` draws; undefined is the base model. */
export function chooseChatSubject(app: App, subjectId: string | undefined): void {
  app.chat.setState({ subjectId });
}

/** Changes what is kept of the person's choices. */
export function editChatSettings(app: App, patch: Partial<ChatSettings>): void {
  app.chatSettings.setState(patch);
}

/** True while an answer or a picture is being made. */
function isAnswering(app: App): boolean {
  return app.live.getState() !== undefined || app.drawing.getState().phase === 'running';
}

/** True where `text` would leave this machine and the person has not been told yet what that means. */
export function needsConsent(app: App, text: string): boolean {
  const isSent = imaginePrompt(text) === undefined && app.key.getState().facts !== undefined;
  return isSent && !app.chatSettings.getState().hasAgreed;
}

/** A picture as it may be sent: small, and without what a camera wrote into it. A bad one is the notice. */
export function prepareAttachment(app: App, file: Blob): Promise<Blob | undefined> {
  return attempt(app, () => app.services.toJpeg(file, attachedSide));
}

/** Sends a message and answers it. Resolves when the answer is there; nothing happens where consent is missing. */
export async function sendMessage(app: App, text: string, attachments: readonly Blob[] = []): Promise<void> {
  const trimmed = text.trim();
  if (trimmed === '' || isAnswering(app) || needsConsent(app, trimmed)) return;
  await add(app, { ...message(app, 'user', trimmed), attachments });
  await answer(app, trimmed);
}

/** Makes an answer again: a drawn one in its place with another seed, another one as the end of the conversation. */
export async function regenerate(app: App, answerId: string): Promise<void> {
  const { messages } = app.chat.getState();
  const at = messages.findIndex(({ id }) => id === answerId);
  const question = messages.slice(0, at).findLast(({ role }) => role === 'user');
  if (!question || isAnswering(app) || needsConsent(app, question.text)) return;
  if (imaginePrompt(question.text) !== undefined) return answer(app, question.text, messages[at]);
  const replaced = messages[at]?.answer?.model ?? undefined;
  await cut(app, messages.indexOf(question) + 1);
  await answer(app, question.text, undefined, { replaced });
}

/** The same after a stop: what answered locally is asked again. */
export async function retryStopped(app: App, answerId: string): Promise<void> {
  liftStops(app);
  await regenerate(app, answerId);
}

/** Replaces a message of the person and what followed it, and answers. */
export async function editMessage(app: App, id: string, text: string): Promise<void> {
  const { messages } = app.chat.getState();
  const at = messages.findIndex((one) => one.id === id);
  const old = messages[at];
  const trimmed = text.trim();
  if (!old || trimmed === '' || isAnswering(app) || needsConsent(app, trimmed)) return;
  await cut(app, at);
  await add(app, { ...message(app, 'user', trimmed), attachments: old.attachments });
  await answer(app, trimmed);
}

/** Ends the answer and the picture under way; what has arrived stays. */
export function stopAnswer(app: App): void {
  app.live.getState()?.controller.abort();
  stopDrawing(app);
}

async function answer(
  app: App,
  text: string,
  former?: Message,
  again?: { readonly replaced: string | undefined },
): Promise<void> {
  const prompt = imaginePrompt(text);
  if (prompt !== undefined) return drawAnswer(app, prompt, former);
  if (app.key.getState().facts === undefined) return add(app, withoutKey(app));
  const controller = new AbortController();
  app.live.setState(emptyLive(controller), true);
  const keep = (said: Said) => add(app, { ...message(app, 'assistant', said.text), ...said });
  await attempt(app, async () => {
    const { askModel } = await import('./ask-model'); // with what it needs of the router
    await askModel(app, controller, keep, again);
  });
  app.live.setState(undefined, true);
}

async function drawAnswer(app: App, prompt: string, former?: Message): Promise<void> {
  const reply = (words: string, imageIds: readonly string[] = []) =>
    add(
      app,
      former ? { ...former, text: words, imageIds } : { ...message(app, 'assistant', words), imageIds },
    );
  if (prompt === '') return reply('Write what to draw after /imagine: “/imagine a toy on the beach”.');
  const engine = app.engine.getState();
  if (engine.phase !== 'ready') return reply('The model is not loaded yet. Try again in a moment.');
  const { subjectId } = app.chat.getState();
  const form = { ...emptyForm, prompt, subjectId, seed: app.services.newSeed() };
  const images = await draw(app, requestOf(form, engine.model), 'chat');
  const ids = images.map(({ id }) => id);
  if (ids.length > 0) return reply(describe(app, prompt, subjectId), ids);
  // A failure has its own sentence with a button; a stop deserves one too.
  if (app.drawing.getState().phase !== 'failed' && !former) await reply('Stopped.');
}

function describe(app: App, prompt: string, subjectId: string | undefined): string {
  const subject = app.subjects.getState().find(({ id }) => id === subjectId);
  return subject ? `${prompt} — drawn with ${subject.name}` : prompt;
}

function withoutKey(app: App): Message {
  const words =
    'To talk with a free model, add your OpenRouter key in Settings. Pictures need none: “/imagine a toy on the beach”.';
  return {
    ...message(app, 'assistant', words),
    answer: {
      asked: app.chatSettings.getState().model,
      model: null,
      attempts: [],
      reasoning: '',
      tokensPerSecond: null,
      leftOut: 0,
      calls: [],
      end: 'failed',
      failure: { status: 401, code: 'no_key', message: '' },
    },
  };
}

/** A new message at the end: later than the one before it, for the order is read from the times. */
function message(app: App, role: Message['role'], text: string): Message {
  const { newId, now } = app.services;
  const last = app.chat.getState().messages.at(-1)?.createdAt ?? 0;
  const createdAt = Math.max(now(), last + 1);
  return { version: 2, id: newId(), createdAt, role, text, imageIds: [], attachments: [], answer: null };
}

async function add(app: App, added: Message): Promise<void> {
  app.chat.setState(({ messages }) => {
    const isKnown = messages.some(({ id }) => id === added.id);
    return {
      messages: isKnown ? messages.map((one) => (one.id === added.id ? added : one)) : [...messages, added],
    };
  });
  await attempt(app, () => saveMessage(added));
}

/** Removes the messages from `at` on. */
async function cut(app: App, at: number): Promise<void> {
  const { messages } = app.chat.getState();
  app.chat.setState({ messages: messages.slice(0, at) });
  await attempt(app, () => deleteMessages(messages.slice(at).map(({ id }) => id)));
}

/** Removes the whole conversation; its pictures stay in Create. */
export async function clearChat(app: App): Promise<void> {
  app.chat.setState({ messages: [] });
  await attempt(app, () => clearMessages());
}
