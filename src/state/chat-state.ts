// The conversation and the answer under way, as the page shows them. The answer has a store of its own: what changes with every token
// must not touch the messages above it.
import type { ChatAnswer, ChatAttempt, ChatMessage } from '../storage/chats';

export type { ChatAnswer };
export type Message = ChatMessage;
export type Attempt = ChatAttempt;
export type AnswerFailure = NonNullable<ChatAnswer['failure']>;

export type Chat = {
  readonly messages: readonly Message[];
  readonly subjectId: string | undefined; // whom /imagine and draw_image draw; undefined is the base model
};

/** What the person chose, kept across reloads. */
export type ChatSettings = {
  readonly model: string; // a virtual name or an id
  readonly drawsItself: boolean; // the model may call draw_image
  readonly hasAgreed: boolean; // to send what they write to providers of free models
};

export const defaultChatSettings: ChatSettings = { model: 'free', drawsItself: false, hasAgreed: false };

/** The answer that is being made. */
export type LiveAnswer = {
  readonly phase: 'asking' | 'waiting' | 'answering' | 'drawing';
  readonly waitingUntil: number; // ms since 1970: of 'waiting', when the account's minute has room again
  readonly model: string | undefined; // that is asked, or answers
  readonly attempts: readonly Attempt[]; // that ended
  readonly reasoning: string;
  readonly text: string;
  readonly controller: AbortController;
};

/** What the live answer is before anything happened. */
export function emptyLive(controller: AbortController): LiveAnswer {
  return {
    phase: 'asking',
    waitingUntil: 0,
    model: undefined,
    attempts: [],
    reasoning: '',
    text: '',
    controller,
  };
}
