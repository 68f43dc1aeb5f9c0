// Products in pieces: the same numbers, and no sum of float16 longer than it should be.
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { torchRandn } from '../base/random';
import { GraphBuilder } from './builder';
import { encodeModel } from './encode';
import type { FloatType, Graph, Shape, Value } from './graph';
import { convProduct, linearProduct } from './long-sums';
import { cast } from './operators';
import { relativeError, runModel } from './testing/onnxruntime';
import { tensor } from './testing/tensor';
import { verify } from './verify';

function build(
  type: FloatType,
  shapes: readonly Shape[],
  product: (b: GraphBuilder, [x, weight, bias]: readonly Value[]) => Value,
): Graph {
  const b = new GraphBuilder('product');
  const inputs = shapes.map((shape, i) => cast(b, b.input(`x${i}`, 'float32', shape), type));
  return verify(b.finish({ y: cast(b, product(b, inputs), 'float32') }));
}

const linear: Parameters<typeof build>[2] = (b, [x, weight, bias]) => linearProduct(b, x!, weight!, bias);
const conv: Parameters<typeof build>[2] = (b, [x, weight, bias]) =>
  convProduct(b, x!, weight!, bias, { stride: 2, padding: 1 });

describe.each([
  ['a linear layer', linear, [[3, 3000], [5, 3000], [5]], 'Gemm', [1440, 1440, 120]],
  ['a convolution', conv, [[1, 330, 4, 4], [6, 330, 3, 3], [6]], 'Conv', [160, 160, 10]],
] as const)('%s', (_name, product, shapes, op, channels) => {
  const widths = (type: FloatType) =>
    build(type, shapes, product)
      .nodes.filter((node) => node.op === op)
      .map(({ inputs }) => inputs[1]!.shape[1]);

  test('is cut in float16 alone', () => {
    expect(widths('float16')).toEqual(channels);
    expect(widths('float32')).toEqual([shapes[0][1]]);
  });

  test('sums to the same', async () => {
    const feeds = Object.fromEntries(
      shapes.map((shape, i) => {
        const data = torchRandn(i, 16 * 3000).slice(
          0,
          shape.reduce<number>((size, dim) => size * dim, 1),
        );
        return [`x${i}`, tensor(shape, data)];
      }),
    );
    const run = async (type: FloatType) => {
      const graph = build(type, shapes, product);
      return (await runModel(ort, encodeModel(graph, { parametersAs: 'inputs' }), graph.inputs, feeds))['y']!;
    };
    expect(relativeError(await run('float16'), await run('float32'))).toBeLessThan(2e-3);
  });
});
