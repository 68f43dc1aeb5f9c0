// Makes a conversation fit: the oldest turns go, what the system says and the newest turn stay, tool calls stay with their results.
import type { Message } from './openai/chat-request';
import { estimateTokens } from './requirements';

/** The messages that fit into `budget` tokens, and how many were left out. The newest turn stays even where it does not fit. */
export function trimMessages(
  messages: readonly Message[],
  budget: number,
): { readonly messages: readonly Message[]; readonly left: number } {
  const turns = splitTurns(messages);
  let size = messages.reduce((sum, message) => sum + estimateTokens(message), 0);
  const gone = new Set<Message>();
  for (const turn of turns.slice(0, -1)) {
    if (size <= budget) break;
    for (const message of turn) {
      gone.add(message);
      size -= estimateTokens(message);
    }
  }
  return { messages: messages.filter((message) => !gone.has(message)), left: gone.size };
}

/** Everything but system messages, in turns: a user message with all that answers it. */
function splitTurns(messages: readonly Message[]): Message[][] {
  const turns: Message[][] = [];
  for (const message of messages) {
    if (message.role === 'system') continue;
    if (message.role === 'user' || turns.length === 0) turns.push([]);
    turns.at(-1)?.push(message);
  }
  return turns;
}
