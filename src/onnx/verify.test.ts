// Each way of spoiling a graph is found, and the message says where.
import { expect, test } from 'vitest';
import { GraphBuilder } from './builder';
import type { Graph, Node, Value } from './graph';
import { add, matMul, relu } from './operators';
import { verify } from './verify';

/** y = relu(x · w + 2) */
function sound(): Graph {
  const b = new GraphBuilder('sound');
  const product = matMul(b, b.input('x', 'float32', [2, 3]), b.parameter('w', [3, 4]));
  return b.finish({ y: relu(b, add(b, product, b.scalar(2))) });
}

const withNode = (graph: Graph, index: number, change: Partial<Node>): Graph => ({
  ...graph,
  nodes: graph.nodes.with(index, { ...graph.nodes[index], ...change } as Node),
});

test('a sound graph passes and is answered', () => {
  const graph = sound();
  expect(graph.nodes.map(({ op }) => op)).toEqual(['MatMul', 'Add', 'Relu']);
  expect(verify(graph)).toBe(graph);
});

test('one name for two values', () => {
  const graph = sound();
  expect(() => verify({ ...graph, parameters: [...graph.parameters, graph.inputs[0]!] })).toThrow(
    'sound: x is defined twice',
  );
  const product = graph.nodes[0]!.outputs;
  expect(() => verify(withNode(graph, 1, { outputs: product }))).toThrow(
    `${product[0]!.name} is defined twice`,
  );
});

test('a node before the one whose value it takes', () => {
  const graph = sound();
  const [product, sum, y] = graph.nodes as [Node, Node, Node];
  expect(() => verify({ ...graph, nodes: [sum, product, y] })).toThrow(
    `sound: Add uses ${product.outputs[0]!.name} before it is defined`,
  );
});

test('a parameter that is not there', () => {
  expect(() => verify({ ...sound(), parameters: [] })).toThrow('MatMul uses w before it is defined');
});

test('an output that nothing makes', () => {
  const z: Value = { name: 'z', type: 'float32', shape: [2, 4] };
  expect(() => verify({ ...sound(), outputs: [z] })).toThrow('sound: the end uses z before it is defined');
});

test('an output of another shape or type than the op gives', () => {
  const graph = sound();
  const output = graph.nodes[1]!.outputs[0]!;
  expect(() => verify(withNode(graph, 1, { outputs: [{ ...output, shape: [4, 2] }] }))).toThrow(
    `sound: ${output.name} is float32[4,2], Add gives float32[2,4]`,
  );
  expect(() => verify(withNode(graph, 1, { outputs: [{ ...output, type: 'float16' }] }))).toThrow(
    `sound: ${output.name} is float16[2,4], Add gives float32[2,4]`,
  );
});

test('an input taken for another shape or type than it has', () => {
  const graph = sound();
  const product = graph.nodes[0]!.outputs[0]!;
  const inputs = [{ ...product, shape: [1, 4] }, graph.nodes[1]!.inputs[1]];
  expect(() => verify(withNode(graph, 1, { inputs }))).toThrow(
    `Add takes ${product.name} for float32[1,4], it is float32[2,4]`,
  );
  const asIndices = [{ ...product, type: 'int32' as const }, graph.nodes[1]!.inputs[1]];
  expect(() => verify(withNode(graph, 1, { inputs: asIndices }))).toThrow(
    `Add takes ${product.name} for int32[2,4], it is float32[2,4]`,
  );
});

test('an input that does not fit the op', () => {
  const graph = sound();
  const w = { ...graph.parameters[0]!, shape: [4, 4] };
  const changed = withNode(graph, 0, { inputs: [graph.nodes[0]!.inputs[0], w] });
  expect(() => verify({ ...changed, parameters: [w] })).toThrow('MatMul(x float32[2,3], w float32[4,4])');
});

test('a constant whose data do not fill its shape', () => {
  const graph = sound();
  const [two] = graph.constants;
  const constants = [{ ...two!, data: Float32Array.of(2, 2) }];
  expect(() => verify({ ...graph, constants })).toThrow(
    `${two!.value.name} is float32[1], its data have 8 bytes`,
  );
});
