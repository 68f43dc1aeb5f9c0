// The answer in OpenAI's shapes: a stream of chunks with exactly one finish chunk, or one completion. Unknown to OpenAI, and kept
// because clients of OpenRouter read them: `reasoning` and `images`.
import { AttemptError } from '../failure';
import type { Answer } from '../answer';
import type { FinishReason, Piece, Usage } from '../upstream-stream';
import { brokenAnswer, errorObject, type RequestError } from './errors';

/** What all chunks of an answer have in common. */
export type AnswerHead = {
  readonly id: string;
  readonly created: number; // s since 1970
  readonly model: string;
  readonly promptTokens: number; // an estimate, for answers that do not tell their usage
};

/** What has been seen of an answer when it ends. */
type Seen = {
  characters: number;
  calls: number;
  finish: FinishReason | undefined;
  usage: Usage | undefined;
};

const encoder = new TextEncoder();
const nothingSeen = (): Seen => ({ characters: 0, calls: 0, finish: undefined, usage: undefined });

/**
 * The body of a streamed answer. A failure becomes an `error` event without a finish and without [DONE]; an abort of the client
 * breaks the stream and closes the upstream.
 */
export function streamChunks(
  answer: Answer,
  head: AnswerHead,
  includesUsage: boolean,
  onBroken: (error: RequestError) => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const seen = nothingSeen();
  let isFirst = true;

  const chunk = (choices: readonly unknown[], usage: unknown = null) =>
    `data: ${JSON.stringify({
      id: head.id,
      object: 'chat.completion.chunk',
      created: head.created,
      model: head.model,
      choices,
      ...(includesUsage && { usage }),
    })}\n\n`;

  function encodePiece(piece: Piece): string {
    note(seen, piece);
    const { text, refusal, reasoning, toolCalls, images, logprobs } = piece;
    const delta = {
      ...(isFirst && { role: 'assistant', content: '' }),
      ...(text !== '' && { content: text }),
      ...(refusal !== '' && { refusal }),
      ...(reasoning !== '' && { reasoning }),
      ...(images.length > 0 && { images: images.map(toImage) }),
      ...(toolCalls.length > 0 && {
        tool_calls: toolCalls.map(({ index, start, arguments: part }) => ({
          index,
          ...(start && { id: start.id, type: 'function' }),
          function: { ...(start && { name: start.name }), arguments: part },
        })),
      }),
    };
    if (Object.keys(delta).length === 0) return ''; // a finish or usage: told once, at the end
    isFirst = false;
    return chunk([{ index: 0, delta, finish_reason: null, ...(logprobs && { logprobs }) }]);
  }

  const encodeEnd = () =>
    chunk([{ index: 0, delta: {}, finish_reason: finishOf(seen) }]) +
    (includesUsage ? chunk([], toUsage(seen, head)) : '') +
    'data: [DONE]\n\n';

  return new ReadableStream({
    async pull(controller) {
      try {
        for (;;) {
          const next = await answer.pieces.next();
          const text = next.done ? encodeEnd() : next.value.map(encodePiece).join('');
          if (text !== '') controller.enqueue(encoder.encode(text));
          if (next.done) controller.close();
          if (next.done || text !== '') return;
        }
      } catch (error) {
        answer.close();
        if (!(error instanceof AttemptError)) return controller.error(error);
        const broken = brokenAnswer(error.failure);
        onBroken(broken);
        const event = { error: errorObject(broken) };
        controller.enqueue(encoder.encode(`data: ${JSON.stringify(event)}\n\n`));
        controller.close();
      }
    },
    cancel: () => answer.close(),
  });
}

/** The whole answer as one completion. Throws an AttemptError. `check` may refuse or mend the text of an answer that ended by itself. */
export async function foldAnswer(
  answer: Answer,
  head: AnswerHead,
  check: (text: string) => string,
): Promise<Record<string, unknown>> {
  const seen = nothingSeen();
  let text = '';
  let refusal = '';
  let reasoning = '';
  const images: string[] = [];
  const logprobs: unknown[] = [];
  const calls = new Map<
    number,
    { id: string; type: 'function'; function: { name: string; arguments: string } }
  >();
  for await (const group of answer.pieces) {
    for (const piece of group) {
      note(seen, piece);
      text += piece.text;
      refusal += piece.refusal;
      reasoning += piece.reasoning;
      images.push(...piece.images);
      if (Array.isArray(piece.logprobs?.['content']))
        logprobs.push(...(piece.logprobs['content'] as unknown[]));
      for (const { index, start, arguments: part } of piece.toolCalls) {
        if (start)
          calls.set(index, { id: start.id, type: 'function', function: { name: start.name, arguments: '' } });
        const call = calls.get(index);
        if (call) call.function.arguments += part;
      }
    }
  }
  const finish = finishOf(seen);
  if (finish === 'stop' && refusal === '' && text !== '') text = check(text);
  const message = {
    role: 'assistant',
    content: text === '' && (calls.size > 0 || refusal !== '') ? null : text,
    refusal: refusal === '' ? null : refusal,
    ...(calls.size > 0 && { tool_calls: [...calls.values()] }),
    ...(reasoning !== '' && { reasoning }),
    ...(images.length > 0 && { images: images.map(toImage) }),
  };
  return {
    id: head.id,
    object: 'chat.completion',
    created: head.created,
    model: head.model,
    choices: [
      {
        index: 0,
        message,
        logprobs: logprobs.length > 0 ? { content: logprobs, refusal: null } : null,
        finish_reason: finish,
      },
    ],
    usage: toUsage(seen, head),
  };
}

function note(seen: Seen, { text, reasoning, toolCalls, finish, usage }: Piece): void {
  seen.characters += text.length + reasoning.length;
  seen.calls += toolCalls.length;
  seen.finish = finish ?? seen.finish;
  seen.usage = usage ?? seen.usage;
}

/** Typed clients believe the reason: tool calls and their reason come together or not at all. */
function finishOf({ calls, finish = 'stop' }: Seen): FinishReason {
  if (calls > 0) return finish === 'stop' ? 'tool_calls' : finish;
  return finish === 'tool_calls' ? 'stop' : finish;
}

function toImage(url: string) {
  return { type: 'image_url', image_url: { url } };
}

function toUsage({ usage, characters }: Seen, { promptTokens }: AnswerHead): Record<string, unknown> {
  const prompt = usage?.prompt_tokens ?? promptTokens;
  const completion = usage?.completion_tokens ?? Math.ceil(characters / 4);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: usage?.total_tokens ?? prompt + completion,
    prompt_tokens_details: { cached_tokens: usage?.prompt_tokens_details?.cached_tokens ?? 0 },
    completion_tokens_details: { reasoning_tokens: usage?.completion_tokens_details?.reasoning_tokens ?? 0 },
  };
}
