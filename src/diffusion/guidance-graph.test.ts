// Guidance inside the model's graph, as one batch of two, against two plain calls of the same model combined on the CPU.
import { join } from 'node:path';
import * as ortNode from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { denoiseGraph, type LatentShape } from '../models/stable-diffusion';
import { readFixture } from '../models/testing/fixture';
import { runGraph } from '../models/testing/program';
import { randn, seededWeights } from '../models/testing/seeded-weights';
import { parseUnetConfig } from '../models/unet/config';
import { timeFeatures } from '../models/unet/time-features';
import { relativeError } from '../onnx/testing/onnxruntime';
import { tensor } from '../onnx/testing/tensor';
import { combineGuidance, rescaleGuidance } from './guidance';

const shape: LatentShape = [2, 4, 8, 8];
const contextLength = 7;
const config = parseUnetConfig(
  readFixture<{ config: unknown }>(join(import.meta.dirname, '../models'), 'unet-sd1').config,
);
const contexts = ['unconditional', 'conditional'].map((name) =>
  randn(name, [2, contextLength, config.cross_attention_dim]),
);
const feeds = { sample: randn('sample', shape), inputScale: [0.5], time: timeFeatures(config, [321]) };

async function predict(
  context: ArrayLike<number> & Iterable<number>,
  options: { guided: boolean; rescaled: boolean },
  more: Record<string, number[]>,
) {
  const { graph } = denoiseGraph(config, { shape, contextLength, ...options });
  return (await runGraph(ortNode, graph, seededWeights, { ...feeds, ...more, context }))['prediction']!;
}

describe('a guided call is two plain calls, combined', () => {
  let unconditional: Float32Array;
  let conditional: Float32Array;
  const both = Float32Array.from(contexts.flatMap((context) => [...context]));

  beforeAll(async () => {
    const plain = (i: number) => predict(contexts[i]!, { guided: false, rescaled: false }, {});
    unconditional = Float32Array.from((await plain(0)).data);
    conditional = Float32Array.from((await plain(1)).data);
  });

  test.each([1, 7.5])('guidance %f', async (guidance) => {
    const prediction = await predict(both, { guided: true, rescaled: false }, { guidance: [guidance] });
    const expected = combineGuidance(unconditional, conditional, guidance);
    expect(relativeError(prediction, tensor(shape, expected))).toBeLessThanOrEqual(1e-5);
  });

  test.each([0, 0.7, 1])('guidance 7.5, rescaled by %f', async (rescale) => {
    const options = { guidance: [7.5], rescale: [rescale] };
    const prediction = await predict(both, { guided: true, rescaled: true }, options);
    const guided = combineGuidance(unconditional, conditional, 7.5);
    const expected = rescaleGuidance(guided, conditional, shape[0], rescale);
    expect(relativeError(prediction, tensor(shape, expected))).toBeLessThanOrEqual(1e-5);
  });
});
