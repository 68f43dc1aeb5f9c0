// Runs a graph in float64, slowly and plainly: what ONNX Runtime and the gradient rules are checked against. For tests only.
import { assert } from '../../base/assert';
import type { Graph, Node, Value } from '../graph';
import type { OpName } from '../ops/ops';
import { elementwiseKernels } from './kernels/elementwise';
import type { Kernel } from './kernels/kernel';
import { linalgKernels } from './kernels/linalg';
import { movementKernels } from './kernels/movement';
import { reductionKernels } from './kernels/reduction';
import { tensor, type Tensor } from './tensor';

const kernels: { readonly [Name in OpName]: Kernel<Name> } = {
  ...elementwiseKernels,
  ...linalgKernels,
  ...movementKernels,
  ...reductionKernels,
};

/** The outputs of `graph` by name, from its inputs and parameters by name. Types are not rounded to: everything is float64. */
export function interpret(
  graph: Graph,
  feeds: Readonly<Record<string, Tensor>>,
): Readonly<Record<string, Tensor>> {
  const known = new Map<string, Tensor>();
  const valueOf = ({ name }: Value): Tensor => {
    const value = known.get(name);
    assert(value, `${name} has no value`);
    return value;
  };
  for (const { name, shape } of [...graph.inputs, ...graph.parameters]) {
    const feed = feeds[name];
    assert(
      feed?.shape.join() === shape.join(),
      `${name} must be [${shape.join()}], got [${feed?.shape.join()}]`,
    );
    known.set(name, tensor(shape, feed.data));
  }
  for (const { value, data } of graph.constants) known.set(value.name, tensor(value.shape, data));
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((input) => input && valueOf(input));
    runNode(node, inputs).forEach((data, i) => {
      const { name, shape } = node.outputs[i]!;
      known.set(name, tensor(shape, data));
    });
  }
  return Object.fromEntries(graph.outputs.map((output) => [output.name, valueOf(output)]));
}

function runNode<Op extends OpName>(
  node: Node<Op>,
  inputs: readonly (Tensor | undefined)[],
): readonly Float64Array[] {
  const kernel = kernels[node.op] as Kernel<Op>;
  return kernel(
    inputs,
    node.attributes,
    node.outputs.map(({ shape }) => shape),
  );
}
