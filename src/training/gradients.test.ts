// The gradient of a training step against PyTorch's, as one graph and segment by segment.
import { join } from 'node:path';
import * as ortNode from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { cutSegments, differentiate, gradName, type SegmentSize } from '../autodiff/segments';
import { parseClipTextConfig } from '../models/clip/config';
import type { LatentShape } from '../models/stable-diffusion';
import { floats, readFixture, type Floats, type LoraNote } from '../models/testing/fixture';
import { packedVectors, ranksOf, unpackedVectors } from '../models/testing/lora-vectors';
import { runGraph, type Feeds, type Results } from '../models/testing/program';
import { seeded, seededWeights } from '../models/testing/seeded-weights';
import { parseUnetConfig } from '../models/unet/config';
import { timeFeatures } from '../models/unet/time-features';
import { byteSizeOf } from '../onnx/graph';
import { peakBytes } from '../onnx/liveness';
import { relativeError } from '../onnx/testing/onnxruntime';
import { tensor, type Tensor } from '../onnx/testing/tensor';
import { buildLossGraph, type LossGraph } from './loss-graph';
import { runSegments } from './testing/run-segments';

type Fixture = {
  readonly lora: LoraNote;
  readonly config: { readonly unet?: unknown; readonly text_encoder?: unknown };
  readonly inputs: {
    readonly sample: Floats;
    readonly target: Floats;
    readonly timesteps: readonly number[];
    readonly loss_weights: readonly number[];
    readonly encoder_hidden_states?: Floats;
    readonly ids?: readonly (readonly number[])[];
  };
  readonly outputs: { readonly loss: number; readonly gradient: Floats };
};

function build(name: string, largestBytes?: number): { fixture: Fixture; loss: LossGraph; feeds: Feeds } {
  const fixture = readFixture<Fixture>(join(import.meta.dirname, '../models'), name);
  const { config, inputs, lora } = fixture;
  const { sample, target, timesteps, encoder_hidden_states: context, ids } = inputs;
  const unet = parseUnetConfig(config.unet ?? config);
  const loss = buildLossGraph({
    unet,
    text: ids && parseClipTextConfig(config.text_encoder),
    shape: sample.shape as LatentShape,
    contextLength: ids?.[0]?.length ?? context!.shape[1]!,
    rankOf: ranksOf(lora),
    largestBytes,
  });
  const feeds = {
    sample: floats(sample),
    target: floats(target),
    time: timeFeatures(unet, timesteps),
    sampleWeights: inputs.loss_weights.map((weight) => weight / timesteps.length), // the fixture has their mean
    ...(ids ? { ids: ids.flat() } : { context: floats(context!) }),
    ...packedVectors(loss.packs, seeded),
  };
  return { fixture, loss, feeds };
}

/** The gradient of every matrix, as PyTorch has it. */
function expectedGradients({ lora, outputs }: Fixture): ReadonlyMap<string, Tensor> {
  const { data } = floats(outputs.gradient);
  const gradients = new Map<string, Tensor>();
  let end = 0;
  for (const { module, down, up } of lora.modules)
    for (const [matrix, shape] of [['lora_A', down] as const, ['lora_B', up] as const]) {
      const start = end;
      end += shape.reduce((size, dim) => size * dim, 1);
      gradients.set(`${module}.${matrix}.weight`, tensor(shape, data.slice(start, end)));
    }
  return gradients;
}

/** [matrix, relative error] of those whose gradient is further from `expected` than `bound`. */
function wrongGradients(
  { packs }: LossGraph,
  results: Results,
  expected: ReadonlyMap<string, Tensor>,
  bound: number,
): [string, number][] {
  const actual = unpackedVectors(packs, (name) => results[gradName({ name })]!.data);
  expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
  return [...expected].flatMap(([name, gradient]): [string, number][] => {
    const error = relativeError(tensor(gradient.shape, actual.get(name)!), gradient);
    return error <= bound ? [] : [[name, error]];
  });
}

describe.each(['gradients-sd1', 'gradients-sd2', 'gradients-joint'])('%s', (name) => {
  const { fixture, loss, feeds } = build(name);
  const whole = differentiate(loss.graph, loss.packs);
  let fast: Results;

  beforeAll(async () => {
    fast = await runGraph(ortNode, whole, seededWeights, feeds);
  });

  test('one graph gives PyTorch’s loss and the gradient of every matrix', () => {
    expect(Math.abs(fast['loss']!.data[0]! / fixture.outputs.loss - 1)).toBeLessThanOrEqual(1e-5);
    expect(wrongGradients(loss, fast, expectedGradients(fixture), 1e-3)).toEqual([]);
  });

  const expectSame = ({ packs }: LossGraph, results: Results) => {
    expect(Math.abs(results['loss']!.data[0]! / fast['loss']!.data[0]! - 1)).toBeLessThanOrEqual(1e-6);
    const matrices = unpackedVectors(packs, (pack) => fast[gradName({ name: pack })]!.data);
    const expected = new Map(
      packs.flatMap(({ members }) =>
        members.map((member) => [member.name, tensor(member.shape, matrices.get(member.name)!)] as const),
      ),
    );
    expect(wrongGradients(loss, results, expected, 1e-5)).toEqual([]);
  };
  const inSegments = async ({ graph, packs }: LossGraph, size: SegmentSize) => {
    const { results, peak } = await runSegments<Feeds[string]>(
      cutSegments(graph, packs, size),
      packs,
      feeds,
      (one, inputs) => runGraph(ortNode, one, seededWeights, inputs),
    );
    return { results: results as Results, peak };
  };

  test('blocks as segments give the same and hold less at once', async () => {
    const { results, peak } = await inSegments(loss, 'block');
    expectSame(loss, results);
    expect(peak).toBeLessThan(peakBytes(whole));
  });

  test.each([
    ['whole', Infinity],
    ['by heads', largestScores(loss) / 2],
    ['by heads and queries', largestScores(loss) / 16],
  ])('parts as segments, attention %s, give the same and hold still less', async (_how, largestBytes) => {
    const sliced = build(name, largestBytes).loss;
    expect(sliced.packs).toEqual(loss.packs); // θ and checkpoints are the same in every tier
    expect(largestScores(sliced)).toBeLessThanOrEqual(largestBytes);
    const { results, peak } = await inSegments(sliced, 'part');
    expectSame(sliced, results);
    expect(peak).toBeLessThan((await inSegments(loss, 'block')).peak);
  });
});

/** Bytes of the largest attention scores. */
const largestScores = ({ graph }: LossGraph): number =>
  Math.max(...graph.nodes.flatMap(({ op, outputs }) => (op === 'Softmax' ? outputs.map(byteSizeOf) : [])));
