// The conversation. What it can do now is draw: a message "/imagine …" draws with the chosen subject on this machine.
import { clearMessages, listMessages, saveMessage, type ChatMessage } from '../storage/chats';
import type { App } from './app';
import { attempt } from './attempt';
import { draw } from './drawing';
import { emptyForm, requestOf } from './drawing-state';

export type Message = ChatMessage;

const command = /^\/imagine(?:\s+([^]*))?$/i;

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

/** Sends a message and answers it. Resolves when the answer is there. */
export async function sendMessage(app: App, text: string): Promise<void> {
  const trimmed = text.trim();
  if (trimmed === '' || app.drawing.getState().phase === 'running') return;
  await add(app, message(app, 'user', trimmed));
  await answer(app, trimmed);
}

/** Draws an answer again with another seed, in its place. */
export async function regenerate(app: App, answerId: string): Promise<void> {
  const { messages } = app.chat.getState();
  const at = messages.findIndex(({ id }) => id === answerId);
  const question = messages.slice(0, at).findLast(({ role }) => role === 'user');
  if (question && app.drawing.getState().phase !== 'running') await answer(app, question.text, messages[at]);
}

async function answer(app: App, text: string, former?: ChatMessage): Promise<void> {
  const prompt = imaginePrompt(text);
  const reply = (words: string, imageIds: readonly string[] = []) =>
    add(app, former ? { ...former, text: words, imageIds } : message(app, 'assistant', words, imageIds));
  if (prompt === undefined)
    return reply(
      'This chat can draw. Write /imagine and what you want to see: “/imagine a toy on the beach”.',
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

function message(
  app: App,
  role: ChatMessage['role'],
  text: string,
  imageIds: readonly string[] = [],
): ChatMessage {
  const { newId, now } = app.services;
  return { version: 1, id: newId(), createdAt: now(), role, text, imageIds, details: null };
}

async function add(app: App, added: ChatMessage): Promise<void> {
  app.chat.setState(({ messages }) => {
    const isKnown = messages.some(({ id }) => id === added.id);
    return {
      messages: isKnown ? messages.map((one) => (one.id === added.id ? added : one)) : [...messages, added],
    };
  });
  await attempt(app, () => saveMessage(added));
}

/** Removes the whole conversation; its pictures stay in Create. */
export async function clearChat(app: App): Promise<void> {
  app.chat.setState({ messages: [] });
  await attempt(app, () => clearMessages());
}
