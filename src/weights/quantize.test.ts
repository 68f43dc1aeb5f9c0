// Levels and scales as NumPy makes them by the same rule, and what they stand for by ONNX Runtime's own kernels.
import * as ortNode from 'onnxruntime-node';
import * as ortWeb from 'onnxruntime-web';
import { beforeAll, describe, expect, test } from 'vitest';
import { floats } from '../models/testing/fixture';
import { runGraph } from '../models/testing/program';
import { GraphBuilder } from '../onnx/builder';
import { dequantize } from '../onnx/operators';
import fixture from './__fixtures__/quantized.json';
import { quantizationScales, quantize } from './quantize';

const { block_size: blockSize } = fixture.config;
const { shape, data } = floats(fixture.inputs.weight);
const weight = Float32Array.from(data);
const [rows, columns] = shape as [number, number];

beforeAll(() => {
  ortWeb.env.wasm.numThreads = 1;
});

describe.each(fixture.outputs.cases)('$bits bits', ({ bits, data, scales, dequantized }) => {
  const levels = quantize(weight, bits as 4 | 8, blockSize);
  const perBlock = quantizationScales(weight, bits as 4 | 8, blockSize);

  test('levels, their packing and scales are the oracle’s', () => {
    expect([...levels]).toEqual(data);
    expect(Float64Array.from(perBlock)).toEqual(floats(scales).data);
  });

  test.each([
    ['native', ortNode],
    ['wasm', ortWeb],
  ])('stand for the oracle’s numbers in our graph, %s', async (_name, ort) => {
    const b = new GraphBuilder('dequantize');
    const parameter = b.parameter('levels', [1, rows, levels.length / rows], 'uint8');
    const input = b.input('scales', 'float32', [1, rows, columns / blockSize]);
    const graph = b.finish({ y: dequantize(b, parameter, input, bits as 4 | 8) });
    const { y } = await runGraph(ort, graph, () => levels, { scales: perBlock });
    expect(y!.data).toEqual(floats(dequantized).data);
  });

  test('are as near as so many bits can be', () => {
    const { data: after } = floats(dequantized);
    const square = (values: Iterable<number>) => [...values].reduce((sum, x) => sum + x * x, 0);
    const error = Math.sqrt(square(weight.map((x, i) => x - after[i]!)) / square(weight));
    const step = 2.1 / 2 ** (bits - 1); // of normals, whose farthest of 32 is 2.1 on average
    expect(error).toBeLessThan(1.3 * (step / Math.sqrt(12)));
    expect(error).toBeGreaterThan(0.7 * (step / Math.sqrt(12)));
  });
});

test('numbers that fill no block are a bug', () => {
  expect(() => quantize(new Float32Array(33), 8, 32)).toThrow('blocks of 32 in 33');
});
