// Sharing, dropping and naming while a graph is built; encode.test.ts and the rules test what the nodes mean.
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from './builder';
import type { Graph } from './graph';
import { add, mul, relu, reshape, slice, tanh, transpose } from './operators';
import { interpret } from './testing/reference-interpreter';
import { tensor } from './testing/tensor';
import { verify } from './verify';

const opsOf = (graph: Graph) => graph.nodes.map(({ op }) => op);
const namesOf = (values: readonly { readonly name: string }[]) => values.map(({ name }) => name);

describe('constants', () => {
  test('equal small ones are one value, of equal type and shape only', () => {
    const b = new GraphBuilder('g');
    const two = b.scalar(2);
    expect(b.scalar(2)).toBe(two);
    expect(b.constant(Float32Array.of(2), [1])).toBe(two);
    const others = [
      b.scalar(3),
      b.constant(Float32Array.of(2), [1, 1]),
      b.constant(Int32Array.of(2), [1]),
      b.constant(BigInt64Array.of(2n), [1]),
      b.constant(Uint8Array.of(2), [1]),
    ];
    expect(new Set(namesOf([two, ...others])).size).toBe(6);
    expect(others.map(({ type }) => type)).toEqual(['float32', 'float32', 'int32', 'int64', 'uint8']);
  });

  test('large ones are not compared', () => {
    const b = new GraphBuilder('g');
    const zeros = () => b.constant(new Float32Array(65), [65]);
    expect(zeros().name).not.toBe(zeros().name);
  });

  test('only those in use are in the graph', () => {
    const b = new GraphBuilder('g');
    b.scalar(7);
    const y = add(b, b.input('x', 'float32', [1]), b.scalar(2));
    expect(b.finish({ y }).constants.map(({ data }) => [...data])).toEqual([[2]]);
  });
});

describe('parameters', () => {
  test('one name is one value: tied weights', () => {
    const b = new GraphBuilder('g');
    const w = b.parameter('w', [2]);
    expect(b.parameter('w', [2])).toBe(w);
    const graph = verify(b.finish({ y: add(b, w, b.parameter('w', [2])) }));
    expect(graph.parameters).toEqual([{ name: 'w', type: 'float32', shape: [2] }]);
  });

  test('one name with two shapes throws', () => {
    const b = new GraphBuilder('g');
    b.parameter('w', [2]);
    expect(() => b.parameter('w', [3])).toThrow('w is [2], not [3]');
  });
});

describe('finish', () => {
  test('drops nodes and parameters that no output needs; keeps inputs unless told', () => {
    const b = new GraphBuilder('g');
    const x = b.input('x', 'float32', [2]);
    const unused = b.input('unused', 'float32', [2]);
    tanh(b, add(b, unused, b.parameter('dead', [2])));
    const y = relu(b, add(b, x, b.parameter('alive', [2])));
    const graph = verify(b.finish({ y }));
    expect(opsOf(graph)).toEqual(['Add', 'Relu']);
    expect(namesOf(graph.parameters)).toEqual(['alive']);
    expect(namesOf(graph.inputs)).toEqual(['x', 'unused']);
    expect(namesOf(b.finish({ y }, { dropUnusedInputs: true }).inputs)).toEqual(['x']);
  });

  test('names outputs as told, also one that other nodes take', () => {
    const b = new GraphBuilder('g');
    const hidden = relu(b, b.input('x', 'float32', [2]));
    const graph = verify(b.finish({ hidden, y: tanh(b, hidden) }));
    expect(namesOf(graph.outputs)).toEqual(['hidden', 'y']);
    expect(graph.nodes[1]!.inputs).toEqual([{ name: 'hidden', type: 'float32', shape: [2] }]);
  });

  test('gives one value under two names, and inputs, parameters and constants as outputs', () => {
    const b = new GraphBuilder('g');
    const x = b.input('x', 'float32', [2]);
    const y = relu(b, x);
    const outputs = { first: y, second: y, same: x, weight: b.parameter('w', [1]), two: b.scalar(2) };
    const graph = verify(b.finish(outputs));
    const feeds = { x: tensor([2], [-1, 3]), w: tensor([1], [5]) };
    const values = Object.entries(interpret(graph, feeds)).map(([name, { data }]) => [name, ...data]);
    expect(values).toEqual([
      ['first', 0, 3],
      ['second', 0, 3],
      ['same', -1, 3],
      ['weight', 5],
      ['two', 2],
    ]);
  });

  test('can be asked twice', () => {
    const b = new GraphBuilder('g');
    const hidden = relu(b, b.input('x', 'float32', [2]));
    const y = tanh(b, hidden);
    expect(opsOf(verify(b.finish({ hidden })))).toEqual(['Relu']);
    expect(opsOf(verify(b.finish({ y })))).toEqual(['Relu', 'Tanh']);
  });
});

test('nodes remember their segment, and a prefix starts the names of what is made here', () => {
  const b = new GraphBuilder('g', 'grad.');
  const x = b.input('x', 'float32', [2]);
  b.segment('down');
  const hidden = mul(b, x, b.scalar(3));
  b.segment('up');
  const y = relu(b, hidden);
  expect(b.nodes.map(({ segment }) => segment)).toEqual(['down', 'up']);
  expect([hidden, y, b.scalar(3)].every(({ name }) => name.startsWith('grad.'))).toBe(true);
  expect(b.producer(y)?.op).toBe('Relu');
  expect(b.producer(x)).toBeUndefined();
});

describe('what need not be done is not', () => {
  const ops = (build: (b: GraphBuilder) => unknown) => {
    const b = new GraphBuilder('g');
    build(b);
    return b.nodes.map(({ op }) => op);
  };
  const x = (b: GraphBuilder) => b.input('x', 'float32', [2, 3]);

  test('a reshape, slice or transposition that changes nothing', () => {
    expect(ops((b) => reshape(b, x(b), [2, 3]))).toEqual([]);
    expect(ops((b) => slice(b, x(b), 1, 0, 3))).toEqual([]);
    expect(ops((b) => transpose(b, transpose(b, x(b), [1, 0]), [1, 0]))).toEqual(['Transpose']);
  });

  test('two transpositions are one', () => {
    const b = new GraphBuilder('g');
    const start = b.input('x', 'float32', [2, 3, 4]);
    const whole = transpose(b, transpose(b, start, [1, 2, 0]), [0, 2, 1]);
    expect(b.producer(whole)).toMatchObject({ inputs: [start], attributes: { perm: [1, 0, 2] } });
    const graph = verify(b.finish({ whole }));
    const counting = tensor(
      [2, 3, 4],
      Float64Array.from({ length: 24 }, (_, i) => i),
    );
    const { data } = interpret(graph, { x: counting })['whole']!;
    expect([...data.subarray(0, 8)]).toEqual([0, 1, 2, 3, 12, 13, 14, 15]);
  });
});
