// An answer as OpenRouter writes it: one JSON body, or server-sent events as text pieces with pauses between them.
import type { Answer, Delivery, MidStreamError } from './behaviour';

/** One step of a response body. The bytes of a `text` may be cut further. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'wait'; readonly ms: number }
  /** Say nothing more until the client leaves. */
  | { readonly kind: 'hang' }
  /** Break the connection. */
  | { readonly kind: 'drop' };

/** Who answers and when; the same in every chunk. */
export type Identity = {
  readonly id: string;
  /** Seconds. */
  readonly created: number;
  readonly model: string;
};

const provider = 'Mock Studio';

/** Pieces of a text as a model would stream it: a word with the space after it. */
function tokensOf(text: string): string[] {
  return text.match(/\S+\s*|\s+/gu) ?? [];
}

function finishOf(answer: Answer): Answer['finish'] {
  if (answer.finish !== undefined) return answer.finish;
  return answer.toolCalls === undefined ? 'stop' : 'tool_calls';
}

function usageOf({ reasoning = '', content, cost = 0, isByok = false, upstreamCost = 0 }: Answer) {
  const thought = tokensOf(reasoning).length;
  const completion = thought + tokensOf(content ?? '').length;
  return {
    prompt_tokens: 12,
    completion_tokens: completion,
    total_tokens: 12 + completion,
    cost,
    is_byok: isByok,
    prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 0, audio_tokens: 0, video_tokens: 0 },
    cost_details: {
      upstream_inference_cost: upstreamCost,
      upstream_inference_prompt_cost: 0,
      upstream_inference_completions_cost: upstreamCost,
    },
    completion_tokens_details: { reasoning_tokens: thought, image_tokens: 0, audio_tokens: 0 },
  };
}

function detailsOf(text: string) {
  return [{ type: 'reasoning.text', text, format: 'unknown', index: 0 }];
}

function imagesOf(urls: readonly string[]) {
  return urls.map((url) => ({ type: 'image_url', image_url: { url } }));
}

/** The whole answer as one JSON body. */
export function completionBody({ id, created, model }: Identity, answer: Answer) {
  const { reasoning, content = null, refusal = null, toolCalls, images } = answer;
  const finish = finishOf(answer);
  return {
    id,
    object: 'chat.completion',
    created,
    model: answer.model ?? model,
    provider,
    system_fingerprint: null,
    service_tier: null,
    choices: [
      {
        index: 0,
        logprobs: null,
        finish_reason: finish,
        native_finish_reason: finish,
        message: {
          role: 'assistant',
          content,
          refusal,
          ...(reasoning !== undefined && { reasoning, reasoning_details: detailsOf(reasoning) }),
          ...(images && { images: imagesOf(images) }),
          ...(toolCalls && {
            tool_calls: toolCalls.map(({ id: callId, name, arguments: text }, index) => ({
              index,
              id: callId,
              type: 'function',
              function: { name, arguments: text },
            })),
          }),
        },
      },
    ],
    usage: usageOf(answer),
  };
}

/** The deltas of the answer's parts in order. */
function deltasOf({ reasoning, content, refusal, toolCalls = [], images = [] }: Answer): object[] {
  const deltas: object[] = [];
  for (const text of tokensOf(reasoning ?? '')) {
    deltas.push({ content: '', role: 'assistant', reasoning: text, reasoning_details: detailsOf(text) });
  }
  for (const text of tokensOf(content ?? '')) deltas.push({ content: text, role: 'assistant' });
  for (const text of tokensOf(refusal ?? '')) deltas.push({ content: '', role: 'assistant', refusal: text });
  for (const [index, call] of toolCalls.entries()) {
    const start = { index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } };
    deltas.push({ role: 'assistant', content: null, tool_calls: [start] });
    for (const text of call.arguments.match(/[^]{1,7}/gu) ?? []) {
      deltas.push({ tool_calls: [{ index, function: { arguments: text } }] });
    }
  }
  if (images.length > 0) deltas.push({ content: '', role: 'assistant', images: imagesOf(images) });
  return deltas;
}

function errorEvent(chunk: object, by: MidStreamError): object {
  const error = {
    code: by === 'string-code' ? 'server_error' : 502,
    message: 'Provider disconnected',
    metadata: { error_type: 'provider_unavailable' },
  };
  switch (by) {
    case 'bare':
      return { error };
    case 'no-choices':
      return { ...chunk, error, choices: [] };
    case 'in-choice':
      return { ...chunk, choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error', error }] };
    case 'full':
    case 'string-code':
      return { ...chunk, error, choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error' }] };
  }
}

/** The answer as server-sent events. */
export function completionPieces(
  { id, created, model }: Identity,
  answer: Answer,
  delivery: Delivery,
): Piece[] {
  const { comments, firstTokenMs = 0, tokenMs = 0, cut, finishes = 2, usage = 'with-choice' } = delivery;
  const { done = true, lineEnd = '\n', afterwards } = delivery;
  const chunk = {
    id,
    object: 'chat.completion.chunk',
    created,
    model: answer.model ?? model,
    provider,
    system_fingerprint: 'fp_1',
  };
  const pieces: Piece[] = [];
  const wait = (ms: number) => {
    if (ms > 0) pieces.push({ kind: 'wait', ms });
  };
  const write = (line: string) => pieces.push({ kind: 'text', text: `${line}${lineEnd}${lineEnd}` });
  const send = (event: object) => write(`data: ${JSON.stringify(event)}`);
  const sendChoice = (delta: object, finish: Answer['finish'] = null, more: object = {}) =>
    send({
      ...chunk,
      choices: [{ index: 0, delta, finish_reason: finish, native_finish_reason: finish }],
      ...more,
    });

  for (let i = 0; i < (comments?.count ?? 0); i++) {
    wait(comments?.everyMs ?? 0);
    write(comments?.text ?? ': OPENROUTER PROCESSING');
  }
  wait(firstTokenMs);
  for (const [index, delta] of deltasOf(answer).slice(0, cut?.after).entries()) {
    if (index > 0) wait(tokenMs);
    sendChoice(delta);
  }
  if (cut === undefined) {
    const last = { content: '', role: 'assistant' };
    for (let i = 1; i <= finishes; i++) {
      const withUsage = i === finishes && usage === 'with-choice';
      sendChoice(last, finishOf(answer), withUsage ? { usage: usageOf(answer) } : {});
    }
    if (usage === 'without-choices') send({ ...chunk, choices: [], usage: usageOf(answer) });
  } else if (cut.by === 'hang' || cut.by === 'drop') {
    pieces.push({ kind: cut.by });
    return pieces;
  } else if (cut.by !== 'end') send(errorEvent(chunk, cut.by));
  if (done) write('data: [DONE]');
  if (afterwards !== undefined) pieces.push({ kind: afterwards });
  return pieces;
}
