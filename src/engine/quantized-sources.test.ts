// The UNet on weights of 8 and 4 bits: it computes with what they stand for, and pictures stay near those of the whole weights.
import { beforeAll, describe, expect, test } from 'vitest';
import { differentiate, gradName } from '../autodiff/segments';
import { torchRandn } from '../base/random';
import { denoiseGraph } from '../models/stable-diffusion';
import { quantizedParameters, type WeightBits } from '../models/quantized';
import { sizeOf } from '../onnx/graph';
import { verify } from '../onnx/verify';
import type { ParameterSource } from '../runtime/runtime';
import { recipes } from '../training/settings';
import type { BaseModel } from './base-model';
import { drawLatents } from './draw';
import { decodeLatents } from './pictures';
import { Pipeline } from './pipeline';
import { samplingMemory, weightBytes } from './sampling-memory';
import { bundledModel, openNodeRuntime } from './testing/bundled';
import { quantizationScales, quantize } from '../weights/quantize';
import { quantizedSources } from './quantized-sources';
import { lossGraphOf, planTraining } from './training-plan';

const shape = [1, 4, 16, 16] as const;
let model: BaseModel;
beforeAll(async () => {
  model = await bundledModel();
});

const open = (weightBits?: WeightBits) => new Pipeline(openNodeRuntime(), model, { weightBits });

describe('what is kept in fewer bits', () => {
  test.each([8, 4] as const)('are matrices and kernels, but not the first and last: %d bits', (bits) => {
    const sources = open(bits).sources('unet');
    const whole = sources.filter(({ name }) => !/\.(quantized|scales)$/.test(name));
    const rest = whole.filter(({ name, shape }) => shape.length > 1 && !name.includes('time_embedding'));
    expect(rest.map(({ name }) => name)).toEqual(['unet.conv_in.weight', 'unet.conv_out.weight']);
    const { graph } = denoiseGraph(model.unet, {
      ...{ shape, contextLength: 32, guided: false, rescaled: false },
      weightBits: bits,
    });
    const known = new Map(sources.map((source) => [source.name, source]));
    for (const { name, type, shape } of verify(graph).parameters)
      expect({ name, ...known.get(name) }).toMatchObject({ name, storedAs: type, shape });
  });

  test('the other components stay whole', () => {
    for (const component of ['vae', 'text_encoder'] as const)
      expect(open(4).sources(component)).toEqual(open().sources(component));
  });

  test('the estimates count it', () => {
    const [whole, eight, four] = [undefined, 8, 4].map((bits) =>
      weightBytes(open(bits as WeightBits), ['unet']),
    );
    expect(eight! / whole!).toBeCloseTo(0.29, 2); // of float32: 9 bits of 32, and what stays whole
    expect(four! / whole!).toBeCloseTo(0.166, 2);
    const sampling = (bits?: WeightBits) => samplingMemory(open(bits), { shape, guided: true });
    expect(sampling(8)).toBeLessThan(sampling() - 1.8 * (whole! - eight!)); // on wasm twice, less the weights made whole again
    const training = (bits?: WeightBits) => planTraining(open(bits), recipes().standard).memoryBytes;
    expect(training(4)).toBeLessThan(training());
  });
});

test.each([8, 4] as const)('a matrix is read in pieces: %d bits', async (bits) => {
  const shape = [33, 2 ** 16]; // two pieces and some blocks
  const values = torchRandn(1, sizeOf(shape));
  const ranges: number[] = [];
  const read: ParameterSource['read'] = (begin = 0, end = 4 * values.length) => {
    ranges.push(end - begin);
    return Promise.resolve(new Uint8Array(values.slice(begin / 4, end / 4).buffer));
  };
  const source = { name: 'unet.a.weight', type: 'float32', storedAs: 'float32', shape, read } as const;
  const [levels, scales] = quantizedSources([source], bits);
  const whole = quantize(values, bits, 32);
  expect(Buffer.compare(await levels!.read(), whole)).toBe(0);
  const middle = (2 ** 20 * bits) / 8;
  expect(Buffer.compare(await levels!.read(middle), whole.subarray(middle))).toBe(0);
  const perBlock = new Uint8Array(quantizationScales(values, bits, 32).buffer);
  expect(Buffer.compare(await scales!.read(), perBlock)).toBe(0);
  expect(Math.max(...ranges)).toBe(4 * 2 ** 20);
});

/** `sources` with the weights that 8 or 4 bits stand for in place of their own. */
async function rounded(sources: readonly ParameterSource[], bits: WeightBits): Promise<BaseModel> {
  const quantized = new Map(
    open(bits)
      .sources('unet')
      .map((source) => [source.name, source]),
  );
  const unet = sources.map((source): ParameterSource => {
    const parts = quantizedParameters(source.name, source.shape, bits);
    if (!parts) return source;
    const read = async () => {
      const levels = await quantized.get(parts.data.name)!.read();
      const scales = new Float32Array((await quantized.get(parts.scales.name)!.read()).buffer as ArrayBuffer);
      const values = Float32Array.from({ length: sizeOf(source.shape) }, (_, i) => {
        const level = bits === 8 ? levels[i]! : (levels[i >> 1]! >> (i % 2 === 0 ? 0 : 4)) & 15;
        return (level - 2 ** (bits - 1)) * scales[i >> 5]!;
      });
      return new Uint8Array(values.buffer);
    };
    return { name: source.name, shape: source.shape, type: 'float32', read };
  });
  return { ...model, sources: { ...model.sources, unet } };
}

test('a training step has the loss and gradients of the rounded weights', async () => {
  const settings = { ...recipes().standard, priorPreservation: false, batchSize: 1, rank: 2 };
  const step = async (pipeline: Pipeline) => {
    const { runtime, weightBits } = pipeline;
    const loss = lossGraphOf(model, settings, runtime, 'fast', weightBits);
    const graph = verify(differentiate(loss.graph, loss.packs));
    const program = await runtime.compile('step', graph, [await pipeline.parameters('unet')]);
    const feeds = graph.inputs.map(({ name, type, shape }, i) => {
      const data = torchRandn(i, Math.max(16, sizeOf(shape))).slice(0, sizeOf(shape));
      return [name, runtime.upload('test', type, shape, data)] as const;
    });
    const results = await program.run(Object.fromEntries(feeds));
    const names = ['loss', ...loss.packs.map(gradName)];
    const values = await Promise.all(names.map((name) => runtime.read(results[name]!)));
    await pipeline.dispose();
    return { packs: loss.packs, values: values as Float32Array[] };
  };
  const one = await step(open(4));
  const other = await step(new Pipeline(openNodeRuntime(), await rounded(model.sources.unet, 4)));
  expect(one.packs).toEqual(other.packs); // so checkpoints and LoRA files are the same
  expect(one.packs.length).toBeGreaterThan(3);
  one.values.forEach((values, i) => {
    const expected = other.values[i]!;
    const largest = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const error = values.reduce((most, x, j) => Math.max(most, Math.abs(x - expected[j]!)), 0);
    expect(error / largest).toBeLessThan(1e-3);
  });
});

describe('a picture of 20 steps', () => {
  const draw = async (bits?: WeightBits) => {
    const pipeline = open(bits);
    const request = { shape, prompt: 'a photo of a dog', steps: 20, seeds: [1] };
    const latents = await drawLatents(pipeline, request, new AbortController().signal);
    const { rgba } = await decodeLatents(pipeline, latents);
    await pipeline.dispose();
    return rgba;
  };
  let whole: Uint8ClampedArray;
  beforeAll(async () => {
    whole = await draw();
  });

  // measured over four pictures: 0.31 to 0.35 levels with 8 bits, 3.7 to 5.8 with 4
  test.each([
    [8, 0.05, 1],
    [4, 1, 10],
  ] as const)('%d bits: from %d to %d levels of 255 apart', async (bits, least, most) => {
    const rgba = await draw(bits);
    const sum = rgba.reduce((all, level, i) => all + Math.abs(level - whole[i]!), 0);
    const difference = sum / ((3 * rgba.length) / 4);
    expect(difference).toBeGreaterThan(least);
    expect(difference).toBeLessThan(most);
  });
});
