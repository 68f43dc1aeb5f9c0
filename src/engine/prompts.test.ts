// Prompts through the bundled text encoder against PyTorch, and how a pair of them is made equally long.
import { beforeAll, describe, expect, test } from 'vitest';
import fixture from '../models/__fixtures__/prompt-weights.json';
import { floats } from '../models/testing/fixture';
import { relativeError } from '../onnx/testing/onnxruntime';
import { tensor } from '../onnx/testing/tensor';
import { Pipeline } from './pipeline';
import { encodePrompt, encodePrompts } from './prompts';
import { bundledModel, openNodeRuntime } from './testing/bundled';

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = new Pipeline(openNodeRuntime(), await bundledModel());
});

const encode = (prompt: string, negativePrompt = '', promptSyntax: 'plain' | 'weighted' = 'weighted') =>
  encodePrompts(pipeline, { prompt, negativePrompt, promptSyntax });

describe('weighted prompts follow PyTorch', () => {
  test.each(fixture.inputs.prompts.map((prompt, i) => [prompt, fixture.outputs.everyEighth[i]!] as const))(
    '%s',
    async (prompt, states) => {
      const expected = floats(states);
      const { conditional } = await encode(prompt);
      const actual = tensor(
        expected.shape,
        conditional.filter((_, i) => i % 8 === 0),
      );
      expect(relativeError(actual, expected)).toBeLessThanOrEqual(1e-4);
    },
  );
});

test('a prompt without marks is the same in both ways, and in the plain one marks are letters', async () => {
  const plain = await encodePrompt(pipeline, 'a red ball');
  expect((await encode('a red ball')).conditional).toEqual(plain);
  const marked = await encode('a (red:1.4) ball', 'a (red:1.4) ball', 'plain');
  expect(marked.conditional).toEqual(await encodePrompt(pipeline, 'a (red:1.4) ball'));
  expect(marked.unconditional).toEqual(marked.conditional);
  expect((await encode('a (red:1.4) ball')).conditional).not.toEqual(marked.conditional);
});

test('the shorter of two prompts is filled up with empty chunks', async () => {
  const empty = await encodePrompt(pipeline, '');
  const { conditional, unconditional } = await encode('a BREAK b BREAK c', 'a');
  const negative = await encodePrompt(pipeline, 'a');
  expect(conditional.length).toBe(3 * empty.length);
  expect(unconditional).toEqual(Float32Array.of(...negative, ...empty, ...empty));
  const swapped = await encode('a', 'a BREAK b BREAK c');
  expect(swapped).toEqual({ conditional: unconditional, unconditional: conditional });
});
