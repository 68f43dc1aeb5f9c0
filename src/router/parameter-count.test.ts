import { expect, it } from 'vitest';
import { parseParameterCount } from './parameter-count';

it.each([
  ['google/gemma-4-31b-it:free', 31, 31],
  ['google/gemma-4-26b-a4b-it:free', 26, 4],
  ['moonshotai/kimi-k2-1t:free', 1000, 1000],
  ['nvidia/nemotron-3-ultra-550b-a55b-20260604:free', 550, 55],
  ['qwen/qwen3-0.6b', 0.6, 0.6],
  ['HuggingFaceTB/SmolLM2-360M-Instruct', 0.36, 0.36],
  ['mistralai/mixtral-8x7b-instruct', 56, 56],
  ['liquid/lfm-2.5-2.6b:free', 2.6, 2.6],
  ['cognitivecomputations/dolphin-mistral-24b-venice-edition:free', 24, 24],
])('%s', (name, total, active) => {
  const count = parseParameterCount(name);
  expect(count?.total).toBeCloseTo(total, 9);
  expect(count?.active).toBeCloseTo(active, 9);
});

it('is unknown where the name does not tell, and asks the next name', () => {
  expect(parseParameterCount('openai/gpt-oss:free', 'web3bot/x')).toBeUndefined();
  expect(parseParameterCount('x/y:free', undefined, 'X: Y 12B (free)')).toEqual({ total: 12, active: 12 });
});
