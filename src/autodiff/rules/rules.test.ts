// Every rule of the table against central finite differences in float64.
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../onnx/builder';
import type { Graph } from '../../onnx/graph';
import { conv, gather } from '../../onnx/operators';
import type { OpName } from '../../onnx/ops/ops';
import { relativeError } from '../../onnx/testing/onnxruntime';
import { interpret } from '../../onnx/testing/reference-interpreter';
import { buildSample, forEachSample, titleOf } from '../../onnx/testing/sample-graph';
import { samples } from '../../onnx/testing/samples';
import { tensor, type Tensor } from '../../onnx/testing/tensor';
import { verify } from '../../onnx/verify';
import { backward } from '../backward';
import { buildGradientSample, hasGradient } from '../testing/gradient-sample';
import { rules } from './rules';

/** The derivatives of Σ dy0 · y0 by every element of the input `name`: (L(x + h) − L(x − h)) / 2h. */
function differences(graph: Graph, feeds: Readonly<Record<string, Tensor>>, name: string): Tensor {
  const h = 1e-5; // the error is of order h² and of order 1e-16 / h
  const { shape, data } = feeds[name]!;
  const loss = (moved: Float64Array) => {
    const y = interpret(graph, { ...feeds, [name]: { shape, data: moved } })['y0']!;
    return y.data.reduce((sum, value, i) => sum + value * feeds['dy0']!.data[i]!, 0);
  };
  return tensor(
    shape,
    data.map((value, i) => (loss(data.with(i, value + h)) - loss(data.with(i, value - h))) / (2 * h)),
  );
}

describe('gradients are the finite differences', () => {
  forEachSample((op, sample) => {
    if (!hasGradient(op, sample)) return;
    test(titleOf(op, sample), () => {
      const { forward, gradient, wrt, feeds } = buildGradientSample(op, sample);
      const grads = interpret(verify(gradient), feeds);
      expect(Object.keys(grads)).toEqual(wrt.map(({ name }) => `d${name}`));
      for (const { name } of wrt) {
        const error = relativeError(grads[`d${name}`]!, differences(forward, feeds, name));
        expect(error, `d${name}`).toBeLessThanOrEqual(1e-6);
      }
    });
  });
});

describe('the table', () => {
  test('has samples for every op', () => {
    expect((Object.keys(rules) as OpName[]).filter((op) => samples[op].length === 0)).toEqual([]);
  });

  const withoutGradient = Object.entries(rules).flatMap(([op, rule]) =>
    rule === 'no-gradient' ? [op as OpName] : [],
  );
  test.each(withoutGradient)('%s says that it has no gradient', (op) => {
    const differentiate = <Op extends OpName>(name: Op) => {
      const { builder, fed, outputs } = buildSample(name, samples[name][0]!);
      const seed = builder.input('dy', 'float32', outputs[0]!.shape);
      backward(builder, [...builder.nodes], [{ value: outputs[0]!, grad: seed }], fed);
    };
    expect(() => {
      differentiate(op);
    }).toThrow(`${op} has no gradient`);
  });
});

describe('what a rule does not cover throws', () => {
  function differentiate(node: (b: GraphBuilder) => ReturnType<GraphBuilder['node']>): () => void {
    const b = new GraphBuilder('g');
    const y = node(b);
    const seed = b.input('dy', 'float32', y.shape);
    return () => {
      backward(b, [...b.nodes], [{ value: y, grad: seed }], [{ name: 'x', type: 'float32', shape: [] }]);
    };
  }
  const x = (b: GraphBuilder, ...shape: number[]) => b.input('x', 'float32', shape);

  test('a dilated convolution', () => {
    const attributes = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [2, 1] } as const;
    expect(
      differentiate((b) => b.node('Conv', [x(b, 1, 1, 5, 5), b.parameter('w', [1, 1, 3, 3])], attributes)),
    ).toThrow('dilated convolution');
  });
  test('a slice that leaves elements out', () => {
    const attributes = { starts: [0], ends: [4], axes: [0], steps: [2] };
    expect(differentiate((b) => b.node('Slice', [x(b, 4)], attributes))).toThrow('steps [2]');
  });
  test('a gather along another axis', () => {
    const rows = (b: GraphBuilder) => b.input('rows', 'int32', [2]);
    expect(differentiate((b) => b.node('Gather', [x(b, 3, 4), rows(b)], { axis: 1 }))).toThrow('axis other');
    expect(differentiate((b) => gather(b, x(b, 3, 4), rows(b)))).not.toThrow();
  });
  test('a cast to whole numbers, whose slope is 0 or infinite', () => {
    expect(differentiate((b) => b.node('Cast', [x(b, 4)], { to: 'int32' }))).toThrow('float32 to int32');
  });
  test('nothing, for an ordinary convolution', () => {
    expect(
      differentiate((b) => conv(b, x(b, 1, 1, 5, 5), b.parameter('w', [1, 1, 3, 3]), undefined)),
    ).not.toThrow();
  });
});
