// Reads an answer of the router as a careful client does, and fails where it is not what OpenAI's API would say.
import type { z } from 'zod';
import { assert } from '../../base/assert';
import { chunkSchema, completionSchema, errorSchema } from './openai-schemas';

type Call = { id: string; name: string; arguments: string };

/** What a chat answer came to. `error` is the error's code, of the status or of the stream's end. */
export type CheckedAnswer = {
  readonly status: number;
  readonly headers: Headers;
  /** All of the body, as it came. */
  readonly text: string;
  readonly id: string | undefined;
  readonly model: string | undefined;
  readonly content: string;
  readonly reasoning: string;
  readonly refusal: string;
  readonly calls: readonly Call[];
  readonly images: readonly string[];
  readonly finish: string | undefined;
  readonly usage: z.infer<typeof completionSchema>['usage'] | null;
  readonly error: z.infer<typeof errorSchema>['error'] | undefined;
};

const nothing = {
  id: undefined,
  model: undefined,
  content: '',
  reasoning: '',
  refusal: '',
  calls: [],
  images: [],
  finish: undefined,
  usage: undefined,
  error: undefined,
};

/** The answer to a chat request, checked. `includesUsage`: whether the request asked for the usage chunk. */
export async function readAnswer(response: Response, includesUsage = false): Promise<CheckedAnswer> {
  const { status, headers } = response;
  const text = await response.text();
  const base = { ...nothing, status, headers, text };
  const type = headers.get('content-type') ?? '';
  assert((headers.get('x-request-id') ?? '') !== '', 'no x-request-id');
  if (status !== 200) {
    assert(type.includes('application/json'), `an error of type '${type}'`);
    assert(headers.get('x-should-retry') === 'false', 'an error that clients would retry');
    const wait = headers.get('retry-after');
    assert(wait === null || Number(wait) <= 60, `retry-after ${wait}`);
    return { ...base, error: errorSchema.parse(JSON.parse(text)).error };
  }
  if (type.includes('text/event-stream')) return { ...base, ...readEvents(text, includesUsage) };
  assert(type.includes('application/json'), `an answer of type '${type}'`);
  const { id, model, choices, usage } = completionSchema.parse(JSON.parse(text));
  const { finish_reason: finish, message } = choices[0]!;
  return {
    ...base,
    id,
    model,
    content: message.content ?? '',
    reasoning: message.reasoning ?? '',
    refusal: message.refusal ?? '',
    calls: (message.tool_calls ?? []).map((call) => ({ id: call.id, ...call.function })),
    images: (message.images ?? []).map(({ image_url }) => image_url.url),
    finish,
    usage,
  };
}

function readEvents(text: string, includesUsage: boolean) {
  const events = text.split('\n\n').filter((event) => event !== '' && !event.startsWith(':'));
  const result = { ...nothing, calls: [] as Call[], images: [] as string[] };
  let content = '';
  let reasoning = '';
  let refusal = '';
  let finish: string | undefined;
  let usage: CheckedAnswer['usage'];
  const heads = new Set<string>();
  for (const [index, event] of events.entries()) {
    const isLast = index === events.length - 1;
    const data = /^(?:event: error\n)?data: ([^\n]*)$/.exec(event)?.[1];
    assert(data !== undefined, `no event: ${event.slice(0, 200)}`);
    if (data === '[DONE]') {
      assert(isLast && finish !== undefined, '[DONE] too early');
      const [head] = [...heads];
      assert(heads.size === 1 && head !== undefined, `one answer, many heads: ${[...heads].join(' ')}`);
      assert((usage !== undefined) === includesUsage, 'a usage chunk goes to those who ask for it');
      const { id, model } = JSON.parse(head) as { id: string; model: string };
      return { ...result, id, model, content, reasoning, refusal, finish, usage };
    }
    const body: unknown = JSON.parse(data);
    if (typeof body === 'object' && body !== null && 'error' in body) {
      assert(isLast, 'something after an error');
      assert(finish === undefined, 'an error after the finish');
      return { ...result, content, reasoning, refusal, error: errorSchema.parse(body).error };
    }
    const { choices, ...chunk } = chunkSchema.parse(body);
    heads.add(JSON.stringify({ id: chunk.id, model: chunk.model, created: chunk.created }));
    if (chunk.usage) {
      assert(choices.length === 0 && usage === undefined, 'usage comes once, in a chunk of its own');
      usage = chunk.usage;
    }
    for (const { delta, finish_reason: reason } of choices) {
      assert(finish === undefined, 'a choice after the finish');
      finish = reason ?? undefined;
      content += delta.content ?? '';
      reasoning += delta.reasoning ?? '';
      refusal += delta.refusal ?? '';
      result.images.push(...(delta.images ?? []).map(({ image_url }) => image_url.url));
      for (const { index: at, id, function: part } of delta.tool_calls ?? []) {
        if (id !== undefined) {
          assert(at === result.calls.length, `tool call ${at} out of turn`);
          result.calls.push({ id, name: part?.name ?? '', arguments: '' });
        }
        const call = result.calls[at];
        assert(call !== undefined, `a part of tool call ${at} before its start`);
        call.arguments += part?.arguments ?? '';
      }
    }
  }
  throw new Error(`a stream without an end: ${text.slice(-300)}`);
}
