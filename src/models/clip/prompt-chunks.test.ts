// How prompts are cut, with a tokenizer of one token a letter. What comes out of the text encoder is compared in engine/prompts.test.ts.
import { expect, test } from 'vitest';
import { torchRandn } from '../../base/random';
import { chunkPrompt, weighStates } from './prompt-chunks';
import type { Tokenizer } from './tokenizer';

const room = 75;
const words = (text: string) => [...text].map((letter) => letter.charCodeAt(0));
const frame = (content: readonly number[]) =>
  Int32Array.from([1, ...content, ...Array<number>(room - content.length + 1).fill(0)]);
const tokenizer: Tokenizer = {
  encode: () => {
    throw new Error('chunks are framed one by one');
  },
  words,
  frame,
  room,
  comma: ','.charCodeAt(0),
};

const textsOf = (prompt: string) =>
  chunkPrompt(tokenizer, prompt).map(({ ids }) => String.fromCharCode(...ids.filter((id) => id > 1)));
const a = (count: number) => 'a'.repeat(count);

test('a chunk holds 75 tokens, and an empty prompt is one chunk', () => {
  expect(textsOf('')).toEqual(['']);
  expect(textsOf(a(75))).toEqual([a(75)]);
  expect(textsOf(a(76))).toEqual([a(75), 'a']);
  expect(textsOf(a(200))).toEqual([a(75), a(75), a(50)]);
});

test('what follows the last comma goes to the next chunk whole, if it is less than twenty tokens', () => {
  expect(textsOf(`${a(55)},${a(19)}bbb`)).toEqual([`${a(55)},`, `${a(19)}bbb`]);
  expect(textsOf(`${a(54)},${a(20)}bbb`)).toEqual([`${a(54)},${a(20)}`, 'bbb']);
  expect(textsOf(`${a(74)},b`)).toEqual([`${a(74)},`, 'b']);
  expect(textsOf(`${a(60)},${a(14)},b`)).toEqual([`${a(60)},${a(14)}`, ',b']); // a comma tears nothing apart
});

test('BREAK fills a chunk up', () => {
  expect(textsOf('aBREAK b BREAK')).toEqual(['aBREAK b']); // not a word of its own, and then the end
  expect(textsOf('a BREAK b')).toEqual(['a', 'b']);
  expect(textsOf('BREAK BREAK b')).toEqual(['', '', 'b']);
  expect(textsOf(`(${a(75)} BREAK b:2)`)).toEqual([a(75), 'b']);
});

test('each token has the weight of its part; start, end and padding count once', () => {
  const [first, second, ...others] = chunkPrompt(tokenizer, 'a(bc:1.5)[d] BREAK (e:0)');
  expect(others).toEqual([]);
  expect([...first!.weights]).toEqual([1, 1, 1.5, 1.5, Math.fround(1 / 1.1), ...Array<number>(72).fill(1)]);
  expect([...second!.weights]).toEqual([1, 0, ...Array<number>(75).fill(1)]);
  expect([...second!.ids.subarray(0, 3)]).toEqual([1, 'e'.charCodeAt(0), 0]);
});

test('weights scale the states of their tokens, and the mean stays', () => {
  const states = torchRandn(1, 12).map((x) => x + 2); // [3, 4]
  const mean = (values: Float32Array) => values.reduce((sum, x) => sum + x, 0) / values.length;
  const weighed = weighStates(states, Float32Array.of(1, 2, 0.5));
  expect(mean(weighed)).toBeCloseTo(mean(states), 6);
  const ratio = weighed[0]! / states[0]!;
  weighed.forEach((x, i) => expect(x / states[i]!).toBeCloseTo(ratio * [1, 2, 0.5][i >> 2]!, 5));
  expect(weighStates(states, Float32Array.of(1, 1, 1))).toBe(states);
});
