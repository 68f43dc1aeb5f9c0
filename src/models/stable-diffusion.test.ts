// The pipeline's graphs as the sampling loop calls them, against diffusers. Guidance is tested in diffusion/, text and pictures beside
// their models.
import * as ortNode from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { relativeError } from '../onnx/testing/onnxruntime';
import { tensor, type Tensor } from '../onnx/testing/tensor';
import { denoiseGraph, linearGraph } from './stable-diffusion';
import { floats, readFixture, type Floats, type LoraNote } from './testing/fixture';
import { packedVectors, ranksOf } from './testing/lora-vectors';
import { runGraph } from './testing/program';
import { seeded, seededWeights } from './testing/seeded-weights';
import { parseUnetConfig } from './unet/config';
import { timeFeatures } from './unet/time-features';

type Fixture = {
  readonly lora?: LoraNote;
  readonly config: unknown;
  readonly inputs: {
    readonly sample: Floats;
    readonly timesteps: readonly number[];
    readonly encoder_hidden_states: Floats;
  };
  readonly outputs: { readonly sample: Floats };
};

/** Row `i` of a batch, as a batch of one. */
function row({ shape, data }: Tensor, i: number): Tensor {
  const size = data.length / shape[0]!;
  return tensor([1, ...shape.slice(1)], data.slice(i * size, (i + 1) * size));
}

describe('a model call of the sampling loop', () => {
  // The fixtures' rows have time steps of their own, a call has one: they are taken one by one.
  test.each(['unet-sd1', 'unet-sd2', 'lora-sd1', 'lora-sd2'])('%s', async (name) => {
    const { lora, config, inputs, outputs } = readFixture<Fixture>(import.meta.dirname, name);
    const unet = parseUnetConfig(config);
    const [sample, context, expected] = [inputs.sample, inputs.encoder_hidden_states, outputs.sample].map(
      floats,
    );
    const { graph, packs } = denoiseGraph(unet, {
      shape: [1, 4, 8, 8],
      contextLength: 7,
      guided: false,
      rescaled: false,
      rankOf: lora && ranksOf(lora),
    });
    for (const [i, timestep] of inputs.timesteps.entries()) {
      const { prediction } = await runGraph(ortNode, graph, seededWeights, {
        sample: row(sample!, i).data.map((x) => 4 * x),
        inputScale: [0.25],
        time: timeFeatures(unet, [timestep]),
        context: row(context!, i),
        ...packedVectors(packs, seeded),
        ...(lora ? { strength: [lora.alpha / lora.rank] } : {}),
      });
      expect(relativeError(prediction!, row(expected!, i))).toBeLessThanOrEqual(1e-4);
    }
  });
});

test('a linear combination of any number of latents', async () => {
  const graph = linearGraph(3, [1, 1, 1, 2]);
  const feeds = { x0: [1, 2], x1: [10, 20], x2: [100, 200], c0: [3], c1: [-0.5], c2: [0.25] };
  const { sum } = await runGraph(ortNode, graph, seededWeights, feeds);
  expect([...sum!.data]).toEqual([3 - 5 + 25, 6 - 10 + 50]);
});
