// Checks a whole graph, after it was built and after every transformation: a bad graph dies where it was made.
import { assert } from '../base/assert';
import { byteSizeOf, type Graph, type Value } from './graph';
import { inferOutputs } from './infer';

/** Throws unless every name is defined once and before use, and every type and shape is what its op infers. Answers the graph. */
export function verify(graph: Graph): Graph {
  const known = new Map<string, Value>();
  const define = (value: Value) => {
    assert(!known.has(value.name), `${graph.name}: ${value.name} is defined twice`);
    known.set(value.name, value);
  };
  const use = (value: Value, by: string) => {
    const defined = known.get(value.name);
    assert(defined, `${graph.name}: ${by} uses ${value.name} before it is defined`);
    assert(
      defined.type === value.type && defined.shape.join() === value.shape.join(),
      `${graph.name}: ${by} takes ${value.name} for ${value.type}[${value.shape.join()}], it is ${defined.type}[${defined.shape.join()}]`,
    );
  };
  for (const value of [...graph.inputs, ...graph.parameters]) define(value);
  for (const { value, data } of graph.constants) {
    assert(
      data.byteLength === byteSizeOf(value),
      `${graph.name}: ${value.name} is ${value.type}[${value.shape.join()}], its data have ${data.byteLength} bytes`,
    );
    define(value);
  }
  for (const node of graph.nodes) {
    for (const input of node.inputs) if (input) use(input, node.op);
    const inferred = inferOutputs(node.op, node.inputs, node.attributes);
    node.outputs.forEach((output, i) => {
      const expected = inferred[i];
      assert(
        expected && expected.type === output.type && expected.shape.join() === output.shape.join(),
        `${graph.name}: ${output.name} is ${output.type}[${output.shape.join()}], ${node.op} gives ${expected?.type}[${expected?.shape.join()}]`,
      );
      define(output);
    });
  }
  for (const output of graph.outputs) use(output, 'the end');
  return graph;
}
