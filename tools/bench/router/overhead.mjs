// The time that the router adds, on the real clock: whole streams through it against the same bytes through the same parser alone.
import { createParser } from 'eventsource-parser';

const chunkCount = 2000;
const rounds = 30;

const event = (i) =>
  `data: ${JSON.stringify({
    id: 'gen-1790900000-AbCdEfGhIjKlMnOpQrSt',
    object: 'chat.completion.chunk',
    created: 1790900000,
    model: 'a/b:free',
    provider: 'P',
    choices: [
      {
        index: 0,
        delta: { role: 'assistant', content: ` word${i}` },
        finish_reason: null,
        native_finish_reason: null,
      },
    ],
  })}\n\n`;
const end = `data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: 'stop' }], usage: { completion_tokens: chunkCount } })}\n\ndata: [DONE]\n\n`;

/** One network chunk an event, as slow models send them. */
function createBody(count) {
  const encoder = new TextEncoder();
  const parts = [...Array.from({ length: count }, (_, i) => event(i)), end].map((text) =>
    encoder.encode(text),
  );
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      if (next < parts.length) controller.enqueue(parts[next++]);
      else controller.close();
    },
  });
}

async function drain(body) {
  const reader = body.getReader();
  while (!(await reader.read()).done);
}

async function parseAlone(count) {
  const decoder = new TextDecoder();
  const parser = createParser({ onEvent: ({ data }) => data !== '[DONE]' && JSON.parse(data) });
  const reader = createBody(count).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    parser.feed(decoder.decode(value, { stream: true }));
  }
}

async function time(task) {
  const times = [];
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    await task(i);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)];
}

/** Medians in ms: what a request and what a chunk cost beyond the parser. */
export async function measureOverhead(createRouter) {
  const values = new Map();
  let count = 0;
  let clock = Date.now(); // moves by itself, so that the account's minute is never full
  const router = createRouter({
    upstream: 'https://upstream.test/api/v1',
    apiKey: () => 'sk-or-v1-bench',
    now: () => clock,
    random: Math.random,
    sleep: (_, signal) =>
      new Promise((__, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    store: {
      get: async (key) => values.get(key),
      update: async (key, change) => (values.set(key, change(values.get(key))), values.get(key)),
    },
    fetch: async (url) => {
      if (!url.endsWith('/chat/completions')) {
        const architecture = { input_modalities: ['text'], output_modalities: ['text'] };
        const pricing = { prompt: '0', completion: '0' };
        return Response.json({ data: [{ id: 'a/b:free', context_length: 65536, architecture, pricing }] });
      }
      return new Response(createBody(count), { headers: { 'content-type': 'text/event-stream' } });
    },
  });
  const send = async () => {
    clock += 10_000;
    const body = JSON.stringify({ model: 'free', stream: true, messages: [{ role: 'user', content: 'hi' }] });
    const response = await router.fetch('https://router.invalid/v1/chat/completions', {
      method: 'POST',
      body,
    });
    if (!response.ok) throw new Error(await response.text());
    await drain(response.body);
  };
  count = 1;
  await time(send); // warm
  const [request, requestAlone] = [await time(send), await time(() => parseAlone(1))];
  count = chunkCount;
  const [stream, streamAlone] = [await time(send), await time(() => parseAlone(chunkCount))];
  return {
    request: request - requestAlone,
    chunk: (stream - streamAlone - (request - requestAlone)) / chunkCount,
  };
}
