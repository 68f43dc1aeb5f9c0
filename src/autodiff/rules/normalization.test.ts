import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../onnx/builder';
import { interpret } from '../../onnx/testing/reference-interpreter';
import type { Value } from '../../onnx/value';
import { backward } from '../backward';

/** The gradient of Σ weightᵢ · y ᵢ through an instance normalisation whose scale and bias are made by `affine`. */
function gradient(
  x: Float64Array,
  affine: (b: GraphBuilder, data: Float32Array, name: string) => Value,
): Float64Array {
  const b = new GraphBuilder('normalization');
  const input = b.input('x', 'float32', [1, 2, 5]);
  const scale = affine(b, Float32Array.of(1, 1), 'scale');
  const bias = affine(b, new Float32Array(2), 'bias');
  const y = b.node('InstanceNormalization', [input, scale, bias], { epsilon: 1e-3 });
  const seed = b.constant(
    Float32Array.from({ length: 10 }, (_, i) => Math.cos(3 * i)),
    [1, 2, 5],
  );
  const [dx] = backward(b, [...b.nodes], [{ value: y, grad: seed }], [input]);
  const feeds = {
    x: { shape: [1, 2, 5], data: x },
    scale: { shape: [2], data: Float64Array.of(1, 1) },
    bias: { shape: [2], data: new Float64Array(2) },
  };
  return interpret(b.finish({ dx: dx! }, { dropUnusedInputs: true }), feeds)['dx']!.data;
}

const constant = (b: GraphBuilder, data: Float32Array) => b.constant(data, [2]);
const input = (b: GraphBuilder, _data: Float32Array, name: string) => b.input(name, 'float32', [2]);

describe('the gradient of an instance normalisation taken from its output', () => {
  it.each([
    ['around zero', (i: number) => Math.sin(7 * i)],
    ['far from zero', (i: number) => 50 + Math.sin(7 * i)],
    ['nearly constant', (i: number) => 2 + 1e-4 * Math.sin(7 * i)],
  ])('is the one computed from the input: %s', (_, at) => {
    const x = Float64Array.from({ length: 10 }, (_each, i) => at(i));
    const expected = gradient(x, input);
    const largest = Math.max(...expected.map(Math.abs));
    gradient(x, constant).forEach((value, i) => {
      expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-9 * largest);
    });
  });

  it('is finite where the input does not vary at all', () => {
    const dx = gradient(new Float64Array(10).fill(3), constant);
    expect([...dx].every(Number.isFinite)).toBe(true);
  });
});
