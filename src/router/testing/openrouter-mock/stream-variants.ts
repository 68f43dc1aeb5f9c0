// Every shape of stream that OpenRouter and the providers behind it were seen to send, or may send by its documentation.
import type { Behaviour, MidStreamError } from './behaviour';

const errors: readonly MidStreamError[] = ['full', 'no-choices', 'bare', 'string-code', 'in-choice'];

/** A picture as a data URL of `sizeBytes` characters; not one that decodes. */
function bigImage(sizeBytes: number): string {
  return `data:image/png;base64,${'A'.repeat(sizeBytes)}`;
}

const manyLanguages = 'Zażółć gęślą jaźń. 日本語のテキスト。 مرحبا. 👩‍👩‍👧‍👦🏳️‍🌈 naïve — “quotes”.';

/** Streams that are whole: what must arrive is the answer's content, tool calls and images. */
export const wholeStreams = {
  normal: { kind: 'answer' },
  'reasoning-first': { kind: 'answer', answer: { reasoning: 'First I think.', content: 'Then I speak.' } },
  'tool-call': {
    kind: 'answer',
    answer: { toolCalls: [{ id: 'call_1', name: 'weather', arguments: '{"city":"Łódź","days":3}' }] },
  },
  'parallel-tool-calls': {
    kind: 'answer',
    answer: {
      content: 'Two at once.',
      toolCalls: [
        { id: 'call_1', name: 'weather', arguments: '{"city":"Oslo"}' },
        { id: 'call_2', name: 'time', arguments: '{}' },
      ],
    },
  },
  'comments-then-late-first-token': {
    kind: 'answer',
    delivery: { comments: { count: 8, everyMs: 500 }, firstTokenMs: 500 },
  },
  'bare-comments': { kind: 'answer', delivery: { comments: { count: 3, everyMs: 0, text: ': ' } } },
  crlf: { kind: 'answer', answer: { content: manyLanguages }, delivery: { lineEnd: '\r\n' } },
  'byte-split': { kind: 'answer', answer: { content: manyLanguages }, delivery: { splitBytes: 1 } },
  'byte-split-crlf': {
    kind: 'answer',
    answer: { content: manyLanguages },
    delivery: { splitBytes: 1, lineEnd: '\r\n' },
  },
  'one-chunk': { kind: 'answer', answer: { content: manyLanguages }, delivery: { splitBytes: 1 << 24 } },
  'usage-without-choices': { kind: 'answer', delivery: { usage: 'without-choices' } },
  'no-usage': { kind: 'answer', delivery: { usage: 'none' } },
  'one-finish': { kind: 'answer', delivery: { finishes: 1 } },
  'no-done': { kind: 'answer', delivery: { done: false } },
  'no-finish-but-done': { kind: 'answer', delivery: { finishes: 0 } },
  'dated-snapshot': {
    kind: 'answer',
    answer: { content: 'As of June.', model: 'acme/snapshot-20260604:free' },
  },
  'json-on-stream': { kind: 'answer', delivery: { asJson: true } },
  'length-with-content': { kind: 'answer', answer: { content: 'Half a sen', finish: 'length' } },
  refusal: { kind: 'answer', answer: { content: null, refusal: 'I will not.' } },
  'content-filter': { kind: 'answer', answer: { content: 'Up to here', finish: 'content_filter' } },
  'image-of-2-MB-in-one-line': {
    kind: 'answer',
    answer: { content: 'A picture.', images: [bigImage(2 ** 21)] },
  },
} satisfies Readonly<Record<string, Behaviour>>;

/** Whole answers whose stream does not end as it should. */
export const streamsLeftOpen = {
  'finish-then-silence': { kind: 'answer', delivery: { done: false, afterwards: 'hang' } },
  'finish-then-drop': { kind: 'answer', delivery: { done: false, afterwards: 'drop' } },
  'done-then-silence': { kind: 'answer', delivery: { afterwards: 'hang' } },
  'done-then-drop': { kind: 'answer', delivery: { afterwards: 'drop' } },
} satisfies Readonly<Record<string, Behaviour>>;

function cutStreams(after: number, when: string): Record<string, Behaviour> {
  const cases: Record<string, Behaviour> = {
    [`hang-${when}`]: { kind: 'answer', delivery: { cut: { after, by: 'hang' } } },
    [`drop-${when}`]: { kind: 'answer', delivery: { cut: { after, by: 'drop' } } },
    [`end-${when}`]: { kind: 'answer', delivery: { cut: { after, by: 'end' }, done: false } },
  };
  for (const by of errors) {
    for (const done of [true, false]) {
      cases[`error-${by}-${when}${done ? '-then-done' : ''}`] = {
        kind: 'answer',
        delivery: { cut: { after, by }, done },
      };
    }
  }
  return cases;
}

/** Streams that fail before anything was said: a router may hop. */
export const streamsCutEarly: Readonly<Record<string, Behaviour>> = cutStreams(0, 'first');

/** Streams that fail in the middle of the content: a router must not hop and must say so. */
export const streamsCutLate: Readonly<Record<string, Behaviour>> = cutStreams(2, 'in-the-middle');

/** Answers that cost: the model is to be put away and the person told. */
export const costlyAnswers = {
  cost: { kind: 'answer', answer: { content: 'Dear.', cost: 0.0042 } },
  'upstream-cost': { kind: 'answer', answer: { content: 'Dear.', upstreamCost: 0.0042 } },
  byok: { kind: 'answer', answer: { content: 'Dear.', isByok: true } },
} satisfies Readonly<Record<string, Behaviour>>;
