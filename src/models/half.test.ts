// The models computed in float16, against diffusers: what is computed stays near, and is in float16 wherever that is meant. The CPU adds
// up in float32; what WebGPU's float16 sums cost is the start-up test's to find out (runtime/half-self-test.ts).
import * as ortNode from 'onnxruntime-node';
import * as ortWeb from 'onnxruntime-web';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Graph, Value } from '../onnx/graph';
import { relativeError } from '../onnx/testing/onnxruntime';
import { tensor, type Tensor } from '../onnx/testing/tensor';
import { decodeGraph, denoiseGraph, type LatentShape } from './stable-diffusion';
import { bundledWeights } from './testing/bundled-weights';
import { floats, readFixture, type Floats, type LoraNote, type WeightsNote } from './testing/fixture';
import { packedVectors, ranksOf } from './testing/lora-vectors';
import { runGraph } from './testing/program';
import { seeded, seededWeights } from './testing/seeded-weights';
import { parseUnetConfig } from './unet/config';
import { timeFeatures } from './unet/time-features';
import { parseAutoencoderKlConfig } from './vae/kl';
import { parseAutoencoderTinyConfig } from './vae/tiny';

const bound = 2e-2; // of the largest value of a model call; the CPU stays far below

type UnetFixture = {
  readonly weights: WeightsNote;
  readonly lora?: LoraNote;
  readonly config: unknown;
  readonly inputs: {
    readonly sample: Floats;
    readonly timesteps: readonly number[];
    readonly encoder_hidden_states: Floats;
  };
  readonly outputs: { readonly sample: Floats };
};

beforeAll(() => {
  ortWeb.env.wasm.numThreads = 1;
});

const firstRow = ({ shape, data }: Tensor): Tensor =>
  tensor([1, ...shape.slice(1)], data.slice(0, data.length / shape[0]!));

/** Types of what the nodes of this op make, after the time embedding. */
const typesOf = ({ nodes }: Graph, op: string): ReadonlySet<Value['type']> =>
  new Set(
    nodes
      .filter((node) => node.op === op && !node.segment.endsWith('.conv_in')) // where the time embedding is, too
      .map(({ outputs }) => outputs[0]!.type),
  );

function openUnet(name: string, upcast = false) {
  const { lora, config, inputs, outputs, weights } = readFixture<UnetFixture>(import.meta.dirname, name);
  const unet = { ...parseUnetConfig(config), upcast_attention: upcast };
  const sample = firstRow(floats(inputs.sample));
  const context = firstRow(floats(inputs.encoder_hidden_states));
  const isSeeded = weights === 'seeded';
  const { graph, packs } = denoiseGraph(unet, {
    shape: sample.shape as LatentShape,
    contextLength: context.shape[1]!,
    guided: false,
    rescaled: false,
    rankOf: lora && ranksOf(lora),
    weightType: isSeeded ? 'float32' : 'float16',
    computeType: 'float16',
  });
  const feeds = {
    sample,
    inputScale: [1],
    time: timeFeatures(unet, [inputs.timesteps[0]!]),
    context,
    ...packedVectors(packs, seeded),
    ...(lora ? { strength: [lora.alpha / lora.rank] } : {}),
  };
  const source = isSeeded ? seededWeights : bundledWeights(weights, { keepHalf: true });
  return { graph, feeds, source, expected: firstRow(floats(outputs.sample)) };
}

describe('a model call in float16', () => {
  test.each([
    ['unet-sd1', 'wasm', ortWeb],
    ['unet-sd2', 'native', ortNode],
    ['unet-sd1-deep', 'native', ortNode],
    ['unet-bundled', 'wasm', ortWeb],
    ['lora-sd1', 'wasm', ortWeb],
    ['lora-sd2', 'native', ortNode],
  ])('%s, %s', async (name, _runtime, ort) => {
    const { graph, feeds, source, expected } = openUnet(name);
    const { prediction } = await runGraph(ort, graph, source, feeds);
    expect(relativeError(prediction!, expected)).toBeLessThan(bound);
    expect(relativeError(prediction!, expected)).toBeGreaterThan(1e-5); // float32 would be nearer
    for (const op of ['Conv', 'Gemm', 'MatMul', 'Softmax', 'InstanceNormalization', 'LayerNormalization'])
      expect(typesOf(graph, op)).toEqual(new Set(['float16']));
  });

  test('takes attention scores in float32 where the config asks for it', async () => {
    const { graph, feeds, source, expected } = openUnet('unet-sd2', true);
    expect(typesOf(graph, 'Softmax')).toEqual(new Set(['float32']));
    expect(typesOf(graph, 'Conv')).toEqual(new Set(['float16']));
    const { prediction } = await runGraph(ortNode, graph, source, feeds);
    expect(relativeError(prediction!, expected)).toBeLessThan(bound);
  });
});

describe('a decoder in float16', () => {
  test.each([
    ['vae-tiny-f8', 'native', ortNode],
    ['vae-kl-f8', 'wasm', ortWeb],
    ['vae-bundled', 'wasm', ortWeb],
  ])('%s, %s', async (name, _runtime, ort) => {
    const { config, weights, inputs, outputs } = readFixture<{
      readonly config: unknown;
      readonly weights: WeightsNote;
      readonly inputs: { readonly latents: Floats };
      readonly outputs: { readonly picture: Floats };
    }>(import.meta.dirname, name);
    const vae = name.startsWith('vae-kl')
      ? ({ kind: 'AutoencoderKL', config: parseAutoencoderKlConfig(config) } as const)
      : ({ kind: 'AutoencoderTiny', config: parseAutoencoderTinyConfig(config) } as const);
    const { shape, data } = floats(inputs.latents);
    const { scaling_factor: factor, shift_factor: shift } = vae.config;
    const latents = tensor(
      shape,
      data.map((x) => (x - shift) * factor),
    );
    const graph = decodeGraph(vae, shape as LatentShape, { computeType: 'float16' });
    expect(typesOf(graph, 'Conv')).toEqual(new Set(['float16']));
    const { picture } = await runGraph(
      ort,
      graph,
      weights === 'seeded' ? seededWeights : bundledWeights(weights),
      { latents },
    );
    expect(relativeError(picture!, floats(outputs.picture))).toBeLessThan(bound);
  });
});
