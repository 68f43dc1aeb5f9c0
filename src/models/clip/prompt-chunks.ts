// Prompts with weights, and of any length: AUTOMATIC1111's conventions. A prompt is read in chunks of as many tokens as the text encoder
// has places for, their states stand one after the other, and weights scale the states.
import { assert } from '../../base/assert';
import { parsePromptWeights } from './prompt-weights';
import type { Tokenizer } from './tokenizer';

/** What the text encoder reads at once: ids with start, end and padding, and a weight for each (1 for those). */
export type PromptChunk = {
  readonly ids: Int32Array<ArrayBuffer>;
  readonly weights: Float32Array<ArrayBuffer>;
};

/** Where a chunk ends within so many tokens from a comma on, what follows the comma goes to the next chunk whole. */
const longestWrap = 20;

/** The chunks of a prompt, at least one. */
export function chunkPrompt(tokenizer: Tokenizer, prompt: string): readonly PromptChunk[] {
  const { room, comma } = tokenizer;
  const full: Word[][] = [];
  let chunk: Word[] = [];
  let lastComma: number | undefined; // its place in the chunk
  const closeAt = (length: number) => {
    full.push(chunk.slice(0, length));
    chunk = chunk.slice(length);
    lastComma = undefined;
  };
  for (const part of parsePromptWeights(prompt)) {
    if (part === 'break') {
      closeAt(chunk.length);
      continue;
    }
    for (const id of tokenizer.words(part.text)) {
      if (chunk.length === room) {
        const canWrap = id !== comma && lastComma !== undefined && room - lastComma <= longestWrap;
        closeAt(canWrap ? lastComma! + 1 : room);
      }
      if (id === comma) lastComma = chunk.length;
      chunk.push({ id, weight: part.weight });
    }
  }
  if (chunk.length > 0 || full.length === 0) closeAt(chunk.length);
  return full.map((words) => frameChunk(tokenizer, words));
}

type Word = { readonly id: number; readonly weight: number };

function frameChunk(tokenizer: Tokenizer, words: readonly Word[]): PromptChunk {
  const ids = tokenizer.frame(words.map(({ id }) => id));
  const weights = new Float32Array(ids.length).fill(1);
  weights.set(
    words.map(({ weight }) => weight),
    1,
  );
  return { ids, weights };
}

/** The states [t, e] of a chunk, each times its weight, and all of them brought back to their mean. */
export function weighStates(states: Float32Array, weights: Float32Array): Float32Array {
  assert(states.length % weights.length === 0, `${states.length} values for ${weights.length} tokens`);
  if (weights.every((weight) => weight === 1)) return states;
  const size = states.length / weights.length;
  const weighed = states.map((x, i) => x * weights[Math.floor(i / size)]!);
  const ratio = sum(states) / sum(weighed);
  return weighed.map((x) => x * ratio);
}

const sum = (values: Float32Array): number => values.reduce((total, x) => total + x, 0);
