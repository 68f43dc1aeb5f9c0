// Against diffusers' UNet2DConditionModel: small seeded ones, the bundled one with both kinds of weights, and peft's LoRA. Each row
// of a batch has its own time step, so the time features are tested with the rest.
import { join } from 'node:path';
import * as ortNode from 'onnxruntime-node';
import * as ortWeb from 'onnxruntime-web';
import { beforeAll, describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../onnx/builder';
import type { DataType, Graph } from '../../onnx/graph';
import { relativeError, type OnnxRuntime } from '../../onnx/testing/onnxruntime';
import type { Tensor } from '../../onnx/testing/tensor';
import { rootScope } from '../layers';
import { Lora, loraInputNames, type RankOf } from '../lora';
import { bundledWeights } from '../testing/bundled-weights';
import { floats, readFixture, type Floats, type LoraNote, type WeightsNote } from '../testing/fixture';
import { ranksOf } from '../testing/lora-vectors';
import { runGraph } from '../testing/program';
import { seeded, seededWeights, type Weights } from '../testing/seeded-weights';
import { parseUnetConfig } from './config';
import { timeFeatures } from './time-features';
import { unet } from './unet';

type Fixture = {
  readonly weights: WeightsNote;
  readonly lora?: LoraNote;
  readonly config: unknown;
  readonly inputs: {
    readonly sample: Floats;
    readonly timesteps: readonly number[];
    readonly encoder_hidden_states: Floats;
    readonly timestep_cond?: Floats;
  };
  readonly outputs: { readonly sample: Floats; readonly without_lora?: Floats };
};

const read = (name: string) => readFixture<Fixture>(join(import.meta.dirname, '..'), name);

/** The model alone, with a row of time features for each sample; adapters are inputs by their matrices' names. */
function buildGraph(
  { config, inputs }: Fixture,
  { rankOf, weightType = 'float32' }: { rankOf?: RankOf; weightType?: DataType } = {},
): { graph: Graph; lora: Lora | undefined } {
  const parsed = parseUnetConfig(config);
  const b = new GraphBuilder('UNet');
  const lora = rankOf && new Lora(rankOf, b.input('strength', 'float32', [1]));
  const guidance = inputs.timestep_cond;
  const prediction = unet(rootScope(b, 'unet', { lora, weightType }), parsed, {
    sample: b.input('sample', 'float32', inputs.sample.shape),
    time: b.input('time', 'float32', [inputs.timesteps.length, parsed.block_out_channels[0]!]),
    context: b.input('context', 'float32', inputs.encoder_hidden_states.shape),
    ...(guidance ? { timeCondition: b.input('timeCondition', 'float32', guidance.shape) } : {}),
  });
  return { graph: b.finish({ prediction }), lora };
}

const feedsOf = ({ config, inputs }: Fixture) => ({
  sample: floats(inputs.sample),
  time: timeFeatures(parseUnetConfig(config), inputs.timesteps),
  context: floats(inputs.encoder_hidden_states),
  ...(inputs.timestep_cond ? { timeCondition: floats(inputs.timestep_cond) } : {}),
});

async function predict(ort: OnnxRuntime, fixture: Fixture, weights: Weights, weightType?: DataType) {
  const { graph } = buildGraph(fixture, weightType ? { weightType } : {});
  return (await runGraph(ort, graph, weights, feedsOf(fixture)))['prediction']!;
}

beforeAll(() => {
  ortWeb.env.wasm.numThreads = 1;
});

describe('small models with seeded weights', () => {
  test.each([
    ['unet-sd1', 'native', ortNode],
    ['unet-sd1', 'wasm', ortWeb],
    ['unet-sd2', 'native', ortNode],
    ['unet-lcm', 'native', ortNode],
    ['unet-sd1-deep', 'native', ortNode],
    ['unet-sd2-deep', 'native', ortNode],
    ['unet-bk-base', 'native', ortNode],
    ['unet-bk-small', 'native', ortNode],
    ['unet-bk-tiny', 'native', ortNode],
    ['unet-bk-tiny-v2', 'native', ortNode],
    ['unet-odd-sides', 'native', ortNode],
    ['unet-odd-sides', 'wasm', ortWeb],
  ])('%s, %s', async (name, _runtime, ort) => {
    const fixture = read(name);
    const prediction = await predict(ort, fixture, seededWeights);
    expect(relativeError(prediction, floats(fixture.outputs.sample))).toBeLessThanOrEqual(1e-4);
  });
});

describe('the bundled model', () => {
  const fixture = read('unet-bundled');
  const note = fixture.weights as Exclude<WeightsNote, 'seeded'>;
  const expected = floats(fixture.outputs.sample);

  test('with its weights made float32 before', async () => {
    const prediction = await predict(ortNode, fixture, bundledWeights(note));
    expect(relativeError(prediction, expected)).toBeLessThanOrEqual(1e-4);
  });

  test('with float16 weights, cast in the graph', async () => {
    const halves = bundledWeights(note, { keepHalf: true });
    const prediction = await predict(ortNode, fixture, halves, 'float16');
    expect(relativeError(prediction, expected)).toBeLessThanOrEqual(1e-4);
  });
});

describe.each(['lora-sd1', 'lora-sd2'])('%s: adapters on linear and convolution layers', (name) => {
  const fixture = read(name);
  const { modules, alpha, rank } = fixture.lora!;
  const { graph, lora } = buildGraph(fixture, { rankOf: ranksOf(fixture.lora!) });

  async function predictWith(strength: number): Promise<Tensor> {
    const matrices = lora!.modules.flatMap(({ module, down, up }) => {
      const [a, b] = loraInputNames(module);
      return [
        [a, seeded(a, down)],
        [b, seeded(b, up)],
      ] as const;
    });
    const feeds = { ...feedsOf(fixture), ...Object.fromEntries(matrices), strength: [strength] };
    return (await runGraph(ortNode, graph, seededWeights, feeds))['prediction']!;
  }

  test('stand on the same layers with the same shapes', () => {
    const shapes = lora!.modules.map(({ module, down, up }) => ({ module, down, up }));
    expect(shapes.sort((one, other) => (one.module < other.module ? -1 : 1))).toEqual(modules);
  });

  test('predict what peft predicts, scaled by alpha / rank', async () => {
    const adapted = await predictWith(alpha / rank);
    expect(relativeError(adapted, floats(fixture.outputs.sample))).toBeLessThanOrEqual(1e-4);
  });

  test('are absent at strength 0', async () => {
    const plain = await predictWith(0);
    expect(relativeError(plain, floats(fixture.outputs.without_lora!))).toBeLessThanOrEqual(1e-4);
  });
});
