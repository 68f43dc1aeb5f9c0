// An answer of POST /chat/completions as pieces: server-sent events or one JSON body, tolerant of what is seen on the wire (comments,
// a role on every chunk, a doubled finish reason, usage with and without choices, errors inside a good answer).
import { createParser } from 'eventsource-parser';
import { z } from 'zod';
import { classifyError } from './classify-error';
import { AttemptError, ownFailure } from './failure';
import { readJson } from './upstream';

const text = z.string().nullish().catch(null);
const count = z.number().nullish().catch(null);

const toolCallSchema = z.object({
  index: z.int().nonnegative().nullish().catch(null),
  id: text,
  function: z
    .object({
      name: text,
      arguments: z
        .union([z.string(), z.record(z.string(), z.unknown()).transform((value) => JSON.stringify(value))])
        .nullish(),
    })
    .nullish()
    .catch(null),
});

const deltaSchema = z.object({
  content: text,
  refusal: text,
  reasoning: text,
  reasoning_content: text,
  tool_calls: z.array(toolCallSchema).nullish().catch(null),
  images: z
    .array(z.object({ image_url: z.object({ url: z.string() }) }))
    .nullish()
    .catch(null),
});

const usageSchema = z.object({
  prompt_tokens: count,
  completion_tokens: count,
  total_tokens: count,
  cost: count,
  is_byok: z.boolean().nullish().catch(null),
  prompt_tokens_details: z.object({ cached_tokens: count }).nullish().catch(null),
  completion_tokens_details: z.object({ reasoning_tokens: count }).nullish().catch(null),
  cost_details: z.object({ upstream_inference_cost: count }).nullish().catch(null),
});

export type Usage = z.infer<typeof usageSchema>;

const chunkSchema = z.object({
  id: text,
  created: count,
  error: z.unknown().optional(),
  choices: z
    .array(
      z.object({
        delta: deltaSchema.nullish().catch(null),
        message: deltaSchema.nullish().catch(null),
        finish_reason: text,
        error: z.unknown().optional(),
        logprobs: z.record(z.string(), z.unknown()).nullish().catch(null),
      }),
    )
    .nullish()
    .catch(null),
  usage: usageSchema.nullish().catch(null),
});

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter';

/** A fragment of a tool call: `start` on its first fragment only. */
type ToolCallPiece = {
  readonly index: number;
  readonly start: { readonly id: string; readonly name: string } | undefined;
  readonly arguments: string;
};

/** What one event adds to the answer. Empty strings and lists: nothing. */
export type Piece = {
  readonly id: string | undefined;
  readonly text: string;
  readonly refusal: string;
  readonly reasoning: string;
  readonly toolCalls: readonly ToolCallPiece[];
  readonly images: readonly string[]; // data URLs
  readonly logprobs: Readonly<Record<string, unknown>> | undefined;
  readonly finish: FinishReason | undefined;
  readonly usage: Usage | undefined;
};

/** True for the first thing of an answer that a reader sees. */
export function isVisible({ text, refusal, toolCalls, images }: Piece): boolean {
  return text !== '' || refusal !== '' || toolCalls.length > 0 || images.length > 0;
}

/**
 * The pieces of an answer, in the groups in which they arrived. Throws an AttemptError for an error by status, inside the stream or
 * inside a good JSON body, and 'cut-off' where the stream ends without a finish reason and without [DONE].
 */
export async function* readPieces(
  response: Response,
  now: () => number,
  onSign: () => void,
  signal: AbortSignal,
): AsyncGenerator<readonly Piece[], void, undefined> {
  const toPiece = createPieceReader(now);
  const isEvents = response.headers.get('content-type')?.includes('text/event-stream') === true;
  if (!response.ok || !isEvents || response.body === null) {
    yield [toPiece(await readJson(response, now()))];
    return;
  }
  let pieces: Piece[] = [];
  let isDone = false;
  let hasFinish = false;
  const parser = createParser({
    onComment: onSign,
    onEvent({ data }) {
      if (isDone) return;
      if (data === '[DONE]') {
        isDone = true;
        return;
      }
      const piece = toPiece(parseEvent(data));
      hasFinish ||= piece.finish !== undefined;
      pieces.push(piece);
    },
  });
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const cancel = () => void reader.cancel().catch(() => undefined); // a broken stream has nothing left to cancel
  signal.addEventListener('abort', cancel, { once: true });
  try {
    while (!isDone) {
      const { done, value } = await reader.read();
      let failure: { readonly error: unknown } | undefined;
      try {
        parser.feed(done ? decoder.decode() : decoder.decode(value, { stream: true }));
        if (done) parser.reset({ consume: true });
      } catch (error) {
        failure = { error }; // what came before the error is still part of the answer
      }
      const group = pieces;
      pieces = [];
      if (group.length > 0) yield group;
      if (failure) throw failure.error;
      if (done) break;
    }
    if (!isDone && !hasFinish) {
      throw new AttemptError(ownFailure('cut-off', 'The answer was cut off by the provider.'));
    }
  } finally {
    signal.removeEventListener('abort', cancel);
    cancel();
  }
}

function parseEvent(data: string): unknown {
  try {
    return JSON.parse(data) as unknown;
  } catch {
    throw new AttemptError(ownFailure('cut-off', 'The provider sent a damaged event.'));
  }
}

/** A reader of chunks that gives every tool call one index, one id and one name, whatever the provider repeats or leaves out. */
function createPieceReader(now: () => number): (body: unknown) => Piece {
  const indexes = new Map<string, number>(); // by id
  const started = new Set<number>();

  function toToolCall(call: z.infer<typeof toolCallSchema>): ToolCallPiece {
    const known = call.id ? indexes.get(call.id) : undefined;
    const index = call.index ?? known ?? (call.id ? started.size : Math.max(0, started.size - 1));
    const isFirst = !started.has(index);
    const id = call.id || `call_${index}`;
    started.add(index);
    indexes.set(id, index);
    return {
      index,
      start: isFirst ? { id, name: call.function?.name ?? '' } : undefined,
      arguments: call.function?.arguments ?? '',
    };
  }

  return (body) => {
    const parsed = chunkSchema.safeParse(body);
    if (!parsed.success) throw new AttemptError(classifyError(502, undefined, now()));
    const { id, error, choices, usage } = parsed.data;
    const choice = choices?.[0];
    const reason = choice?.finish_reason ?? undefined;
    const problem = error || choice?.error;
    if (problem || reason === 'error') {
      throw new AttemptError(classifyError(200, { error: problem || {} }, now()));
    }
    const delta = choice?.delta ?? choice?.message;
    return {
      id: id ?? undefined,
      text: delta?.content ?? '',
      refusal: delta?.refusal ?? '',
      reasoning: (delta?.reasoning || delta?.reasoning_content) ?? '',
      toolCalls: (delta?.tool_calls ?? []).map(toToolCall),
      images: (delta?.images ?? []).map(({ image_url }) => image_url.url),
      logprobs: choice?.logprobs ?? undefined,
      finish: toFinish(reason),
      usage: usage ?? undefined,
    };
  };
}

function toFinish(reason: string | undefined): FinishReason | undefined {
  switch (reason) {
    case undefined:
    case '':
      return undefined;
    case 'length':
    case 'tool_calls':
    case 'content_filter':
      return reason;
    case 'function_call':
      return 'tool_calls';
    default:
      return 'stop';
  }
}
