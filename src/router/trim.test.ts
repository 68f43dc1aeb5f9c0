import { expect, it } from 'vitest';
import type { Message } from './openai/chat-request';
import { trimMessages } from './trim';

const user = (content: string): Message => ({ role: 'user', content });
const turn = 'x'.repeat(350); // 100 tokens and 4

it('drops the oldest turns whole, and keeps the system and the newest', () => {
  const call = { id: 'c', type: 'function' as const, function: { name: 'f', arguments: '{}' } };
  const messages: Message[] = [
    { role: 'system', content: 'be brief' },
    user(turn),
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', tool_call_id: 'c', content: turn },
    { role: 'assistant', content: turn },
    user('newest'),
  ];
  expect(trimMessages(messages, 200)).toEqual({ messages: [messages[0], messages[5]], left: 4 });
  expect(trimMessages(messages, 1000)).toEqual({ messages, left: 0 });
  expect(trimMessages([user(turn), user(turn)], 10)).toEqual({ messages: [user(turn)], left: 1 });
});
