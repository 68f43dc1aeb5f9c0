// The conversation: messages in the order they were made. Pictures that were drawn in it are gallery images, kept by id; those that
// the person added are kept with the message.
import { clear, delMany, set, values } from 'idb-keyval';
import { z } from 'zod';
import { guard, storeOf } from './database';
import { blobSchema, parseReadable, parseRecord, type RecordFormat } from './record';

const attemptSchema = z.strictObject({
  model: z.string(),
  durationMs: z.number(), // to the first token, or to the failure
  failure: z.string().nullable(), // its kind; null: this one answered
  message: z.string().nullable(),
});

const answerSchema = z.strictObject({
  asked: z.string(), // the name that was asked for: free, free:tools, … or an id
  model: z.string().nullable(), // the one that answered; null: none did
  attempts: z.array(attemptSchema).readonly(),
  reasoning: z.string(),
  tokensPerSecond: z.number().nullable(), // null: too short to tell
  leftOut: z.number(), // oldest messages that no model had room for
  /** Tools that the model called, with what they gave back. */
  calls: z
    .array(z.strictObject({ id: z.string(), name: z.string(), arguments: z.string(), result: z.string() }))
    .readonly(),
  end: z.enum(['done', 'length', 'filtered', 'stopped', 'failed']),
  failure: z.strictObject({ status: z.number(), code: z.string(), message: z.string() }).nullable(),
});

/** How an answer of a language model came about. */
export type ChatAnswer = Readonly<z.infer<typeof answerSchema>>;
export type ChatAttempt = z.infer<typeof attemptSchema>;

export type ChatMessage = {
  readonly version: 2;
  readonly id: string;
  readonly createdAt: number; // ms since 1970
  readonly role: 'user' | 'assistant';
  readonly text: string;
  readonly imageIds: readonly string[]; // of the gallery
  readonly attachments: readonly Blob[]; // pictures that the person added
  readonly answer: ChatAnswer | null; // null: the person's message, or what /imagine drew
};

const format: RecordFormat<ChatMessage> = {
  what: 'message',
  schema: z.strictObject({
    version: z.literal(2),
    id: z.string(),
    createdAt: z.number(),
    role: z.enum(['user', 'assistant']),
    text: z.string(),
    imageIds: z.array(z.string()),
    attachments: z.array(blobSchema),
    answer: answerSchema.nullable(),
  }),
  migrations: {
    // Version 1 had a place for details that nothing wrote to.
    1: ({ id, createdAt, role, text, imageIds }) => ({
      version: 2,
      id,
      createdAt,
      role,
      text,
      imageIds,
      attachments: [],
      answer: null,
    }),
  },
};

const chats = storeOf('chats');

/** Stores a message, or replaces the one of the same id. */
export function saveMessage(message: ChatMessage): Promise<void> {
  return guard(format.what, () => set(message.id, parseRecord(format, message), chats));
}

/** All messages, oldest first; those of one moment by id. */
export function listMessages(): Promise<readonly ChatMessage[]> {
  return guard(format.what, async () =>
    // the store answers in the order of ids, and sorting is stable
    parseReadable(format, await values<unknown>(chats)).sort((a, b) => a.createdAt - b.createdAt),
  );
}

/** Removes messages. */
export function deleteMessages(ids: readonly string[]): Promise<void> {
  return guard(format.what, () => delMany([...ids], chats));
}

/** Removes the whole conversation. */
export function clearMessages(): Promise<void> {
  return guard(format.what, () => clear(chats));
}
