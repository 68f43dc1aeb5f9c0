// The conversation: messages in the order they were made. Pictures in it are gallery images, kept by id.
import { clear, del, set, values } from 'idb-keyval';
import { z } from 'zod';
import { guard, storeOf } from './database';
import { jsonSchema, parseReadable, parseRecord, type Json, type RecordFormat } from './record';

export type ChatMessage = {
  readonly version: 1;
  readonly id: string;
  readonly createdAt: number; // ms since 1970
  readonly role: 'user' | 'assistant';
  readonly text: string;
  readonly imageIds: readonly string[]; // of the gallery
  readonly details: Json; // which model answered, attempts, …; who uses them checks them
};

const format: RecordFormat<ChatMessage> = {
  what: 'message',
  schema: z.strictObject({
    version: z.literal(1),
    id: z.string(),
    createdAt: z.number(),
    role: z.enum(['user', 'assistant']),
    text: z.string(),
    imageIds: z.array(z.string()),
    details: jsonSchema,
  }),
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

/** Removes one message. */
export function deleteMessage(id: string): Promise<void> {
  return guard(format.what, () => del(id, chats));
}

/** Removes the whole conversation. */
export function clearMessages(): Promise<void> {
  return guard(format.what, () => clear(chats));
}
