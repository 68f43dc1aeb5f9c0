// Against transformers' CLIPTextModel: two small seeded ones, the bundled one, and one with peft's LoRA.
import { join } from 'node:path';
import * as ortNode from 'onnxruntime-node';
import * as ortWeb from 'onnxruntime-web';
import { beforeAll, expect, test } from 'vitest';
import { packSize } from '../../onnx/packing';
import { relativeError } from '../../onnx/testing/onnxruntime';
import { textGraph } from '../stable-diffusion';
import { bundledWeights } from '../testing/bundled-weights';
import { floats, readFixture, type Floats, type LoraNote, type WeightsNote } from '../testing/fixture';
import { packedVectors, ranksOf } from '../testing/lora-vectors';
import { runGraph } from '../testing/program';
import { seeded, seededWeights } from '../testing/seeded-weights';
import { parseClipTextConfig } from './config';

type Fixture = {
  readonly weights: WeightsNote;
  readonly lora?: LoraNote;
  readonly config: unknown;
  readonly inputs: { readonly ids: readonly (readonly number[])[] };
  readonly outputs: { readonly last_hidden_state: Floats };
};

const read = (name: string) => readFixture<Fixture>(join(import.meta.dirname, '..'), name);

beforeAll(() => {
  ortWeb.env.wasm.numThreads = 1;
});

test.each([
  ['clip-quick-gelu', 'native', ortNode],
  ['clip-quick-gelu', 'wasm', ortWeb],
  ['clip-gelu', 'native', ortNode],
  ['clip-bundled', 'native', ortNode],
])('%s, %s', async (name, _runtime, ort) => {
  const { config, weights, inputs, outputs } = read(name);
  const { graph } = textGraph(parseClipTextConfig(config), inputs.ids.length);
  const { context } = await runGraph(
    ort,
    graph,
    weights === 'seeded' ? seededWeights : bundledWeights(weights),
    { ids: inputs.ids.flat() },
  );
  expect(relativeError(context!, floats(outputs.last_hidden_state))).toBeLessThanOrEqual(1e-4);
});

test('with adapters on attention and feed-forward layers', async () => {
  const { config, lora, inputs, outputs } = read('lora-clip');
  const { graph, packs } = textGraph(parseClipTextConfig(config), inputs.ids.length, {
    rankOf: ranksOf(lora!),
  });
  expect(packs.map((pack) => [pack.name, packSize(pack)])).toEqual([
    ['theta.text_encoder.layers.0', 4 * (4 * 64 + 2 * 160)],
    ['theta.text_encoder.layers.1', 4 * (4 * 64 + 2 * 160)],
  ]);
  const feeds = { ids: inputs.ids.flat(), ...packedVectors(packs, seeded) };
  const { context } = await runGraph(ortNode, graph, seededWeights, { ...feeds, strength: [1] });
  expect(relativeError(context!, floats(outputs.last_hidden_state))).toBeLessThanOrEqual(1e-4);
  const without = await runGraph(ortNode, graph, seededWeights, { ...feeds, strength: [0] });
  const plain = await runGraph(
    ortNode,
    textGraph(parseClipTextConfig(config), inputs.ids.length).graph,
    seededWeights,
    feeds,
  );
  expect(relativeError(without['context']!, plain['context']!)).toBeLessThanOrEqual(1e-6);
  expect(relativeError(context!, plain['context']!)).toBeGreaterThan(0.1);
});
