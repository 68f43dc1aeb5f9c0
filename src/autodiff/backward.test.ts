// The walk itself: sums over several uses, seeds anywhere, broadcasting undone. Each rule is tested beside the rules.
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../onnx/builder';
import type { Value } from '../onnx/graph';
import { add, exp, expand, mul, reduceSum, relu, scale, tanh } from '../onnx/operators';
import { interpret } from '../onnx/testing/reference-interpreter';
import { tensor, type Tensor } from '../onnx/testing/tensor';
import { verify } from '../onnx/verify';
import { backward, type Seed } from './backward';

/** A builder, and the gradients after feeding x, w, … : undefined where backward answers none. */
function gradients(
  b: GraphBuilder,
  seeds: readonly Seed[],
  wrt: readonly Value[],
  feeds: Readonly<Record<string, Tensor>>,
): (number[] | undefined)[] {
  const grads = backward(b, [...b.nodes], seeds, wrt);
  grads.forEach((grad, i) => {
    if (grad) expect(grad.shape).toEqual(wrt[i]!.shape);
  });
  const named = grads.flatMap((grad, i) => (grad ? [[`g${i}`, grad] as const] : []));
  const results = interpret(verify(b.finish(Object.fromEntries(named))), feeds);
  return grads.map((grad, i) => (grad ? [...results[`g${i}`]!.data] : undefined));
}

const one = (b: GraphBuilder, y: Value): Seed => ({ value: y, grad: expand(b, b.scalar(1), y.shape) });

test('a chain multiplies its slopes', () => {
  const b = new GraphBuilder('chain');
  const x = b.input('x', 'float32', [2]);
  const y = exp(b, scale(b, tanh(b, x), 3));
  const at = [0.3, -0.7];
  const expected = at.map((v) => Math.exp(3 * Math.tanh(v)) * 3 * (1 - Math.tanh(v) ** 2));
  const [grad] = gradients(b, [one(b, y)], [x], { x: tensor([2], at) });
  grad!.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 12);
  });
});

describe('a value used several times', () => {
  test('gets the sum of all its uses: d(x³ + 2x)/dx', () => {
    const b = new GraphBuilder('shared');
    const x = b.input('x', 'float32', [2]);
    const y = add(b, mul(b, mul(b, x, x), x), scale(b, x, 2));
    expect(gradients(b, [one(b, y)], [x], { x: tensor([2], [2, -1]) })).toEqual([[14, 5]]);
  });

  test('also in the middle, where its branches meet again', () => {
    const b = new GraphBuilder('diamond');
    const x = b.input('x', 'float32', [1]);
    const h = scale(b, x, 3);
    const y = mul(b, relu(b, h), add(b, h, b.scalar(1))); // 3x · (3x + 1)
    expect(gradients(b, [one(b, y)], [x, h], { x: tensor([1], [2]) })).toEqual([[39], [13]]);
  });
});

describe('broadcasting is undone by sums', () => {
  test('along new axes, axes of 1, and a single element', () => {
    const b = new GraphBuilder('broadcast');
    const x = b.input('x', 'float32', [2, 3]);
    const row = b.parameter('row', [3]);
    const column = b.parameter('column', [2, 1]);
    const single = b.parameter('single', [1]);
    const y = mul(b, add(b, add(b, x, row), column), single);
    const feeds = {
      x: tensor([2, 3], [1, 2, 3, 4, 5, 6]),
      row: tensor([3], [10, 20, 30]),
      column: tensor([2, 1], [100, 200]),
      single: tensor([1], [2]),
    };
    expect(gradients(b, [one(b, y)], [x, row, column, single], feeds)).toEqual([
      [2, 2, 2, 2, 2, 2],
      [4, 4, 4],
      [6, 6],
      [21 + 2 * 60 + 3 * 300],
    ]);
  });
});

describe('seeds', () => {
  test('on an intermediate value add to what comes from above', () => {
    const b = new GraphBuilder('seeds');
    const x = b.input('x', 'float32', [2]);
    const h = scale(b, x, 3);
    const y = mul(b, h, h);
    const extra = b.input('extra', 'float32', [2]);
    const feeds = { x: tensor([2], [1, 2]), extra: tensor([2], [10, 100]) };
    expect(gradients(b, [one(b, y), { value: h, grad: extra }], [x], feeds)).toEqual([
      [(6 + 10) * 3, (12 + 100) * 3],
    ]);
  });

  test('on what is asked for come back themselves', () => {
    const b = new GraphBuilder('seeds');
    const x = b.input('x', 'float32', [1]);
    const seed = { value: x, grad: b.scalar(5) };
    expect(gradients(b, [seed, one(b, scale(b, x, 2))], [x], { x: tensor([1], [0]) })).toEqual([[7]]);
  });

  test('twice on one value add up', () => {
    const b = new GraphBuilder('seeds');
    const x = b.input('x', 'float32', [1]);
    const y = scale(b, x, 2);
    expect(gradients(b, [one(b, y), one(b, y)], [x], { x: tensor([1], [0]) })).toEqual([[4]]);
  });
});

describe('only what is needed is differentiated', () => {
  test('what no seed depends on has no gradient', () => {
    const b = new GraphBuilder('branches');
    const x = b.input('x', 'float32', [1]);
    const z = b.input('z', 'float32', [1]);
    const y = scale(b, x, 2);
    tanh(b, z);
    expect(gradients(b, [one(b, y)], [x, z], { x: tensor([1], [1]), z: tensor([1], [1]) })).toEqual([
      [2],
      undefined,
    ]);
  });

  test('no node is added for a branch without anything asked for, even through an op without gradient', () => {
    const b = new GraphBuilder('branches');
    const x = b.input('x', 'float32', [4]);
    const frozen = b.parameter('frozen', [4]);
    const limited = b.node('Max', [exp(b, frozen), b.scalar(1)], {});
    const y = reduceSum(b, mul(b, x, limited), [0]);
    const before = b.nodes.length;
    const [grad] = backward(b, [...b.nodes], [{ value: y, grad: b.scalar(1) }], [x]);
    expect(b.nodes.slice(before).map(({ op }) => op)).toEqual(['Expand', 'Mul']);
    expect(grad?.shape).toEqual([4]);
  });

  test('a seed on what depends on nothing asked for adds no node', () => {
    const b = new GraphBuilder('branches');
    const x = b.input('x', 'float32', [1]);
    const other = tanh(b, b.parameter('frozen', [1]));
    const y = scale(b, x, 2);
    const seeds = [one(b, y), { value: other, grad: b.scalar(1) }];
    const before = b.nodes.length;
    backward(b, [...b.nodes], seeds, [x]);
    expect(b.nodes.slice(before).map(({ op }) => op)).toEqual(['Mul']);
  });

  test('the way through an op without gradient throws and says where', () => {
    const b = new GraphBuilder('blocked');
    const x = b.input('x', 'float32', [1]);
    const limited = b.node('Max', [x, b.scalar(1)], {});
    expect(() => backward(b, [...b.nodes], [{ value: limited, grad: b.scalar(1) }], [x])).toThrow(
      `Max has no gradient (${limited.name})`,
    );
  });
});

test('gradient nodes belong to the segment of the node that they come from', () => {
  const b = new GraphBuilder('segments');
  const x = b.input('x', 'float32', [1]);
  b.segment('first');
  const h = tanh(b, x);
  b.segment('second');
  const y = exp(b, h);
  const before = b.nodes.length;
  backward(b, [...b.nodes], [{ value: y, grad: b.scalar(1) }], [x]);
  expect(b.nodes.slice(before).map(({ op, segment }) => `${segment} ${op}`)).toEqual([
    'second Mul',
    'first Mul',
    'first Sub',
    'first Mul',
  ]);
});
