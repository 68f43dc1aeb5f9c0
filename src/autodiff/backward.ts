// Reverse-mode differentiation of a graph: walks its nodes backwards and adds the gradient nodes to the builder.
import { assert } from '../base/assert';
import type { GraphBuilder } from '../onnx/builder';
import type { Node, Shape, Value } from '../onnx/graph';
import { add, reduceSum, reshape } from '../onnx/operators';
import type { OpName } from '../onnx/ops/ops';
import { rules } from './rules/rules';

/** A value and the gradient of the loss with respect to it. */
export type Seed = { readonly value: Value; readonly grad: Value };

/**
 * Adds to `b` the nodes that compute the gradients of `wrt`, given those of some values (`seeds`; for a scalar loss a constant 1).
 * `nodes` are the forward nodes, in order, already in `b`. Answers one gradient for each of `wrt`, of its shape;
 * undefined where no seed depends on it. Throws when the way passes through an op without a gradient.
 */
export function backward(
  b: GraphBuilder,
  nodes: readonly Node[],
  seeds: readonly Seed[],
  wrt: readonly Value[],
): readonly (Value | undefined)[] {
  const varying = dependents(nodes, wrt);
  const grads = new Map<string, Value>();
  const contribute = (value: Value, grad: Value) => {
    const known = grads.get(value.name);
    grads.set(value.name, known ? add(b, known, grad) : grad);
  };
  for (const { value, grad } of seeds) contribute(value, grad);

  for (const node of nodes.toReversed()) {
    const outputGrads = node.outputs.map((output) => grads.get(output.name));
    const wanted = node.inputs.map((input) => input !== undefined && varying.has(input.name));
    if (!outputGrads.some((grad) => grad) || !wanted.some((is) => is)) continue;
    b.segment(node.segment);
    const inputGrads = applyRule(b, node, outputGrads, wanted);
    node.inputs.forEach((input, i) => {
      const grad = inputGrads[i];
      if (input && wanted[i] && grad) contribute(input, sumToShape(b, grad, input.shape));
    });
  }
  return wrt.map((value) => grads.get(value.name));
}

function applyRule<Op extends OpName>(
  b: GraphBuilder,
  node: Node<Op>,
  outputGrads: readonly (Value | undefined)[],
  wanted: readonly boolean[],
): readonly (Value | undefined)[] {
  const rule = rules[node.op];
  assert(rule !== 'no-gradient', `${node.op} has no gradient (${node.outputs[0]!.name})`);
  return rule(b, node, outputGrads, wanted);
}

/** Names of `wrt` and of everything computed from them. */
export function dependents(nodes: readonly Node[], wrt: readonly Value[]): ReadonlySet<string> {
  const names = new Set(wrt.map((value) => value.name));
  for (const node of nodes)
    if (node.inputs.some((input) => input && names.has(input.name)))
      for (const output of node.outputs) names.add(output.name);
  return names;
}

/** Undoes broadcasting: the sum of `grad` over the axes along which a value of `shape` was repeated. */
function sumToShape(b: GraphBuilder, grad: Value, shape: Shape): Value {
  const extra = grad.shape.length - shape.length;
  const axes = [...grad.shape.keys()].filter((axis) => {
    const dim = axis < extra ? 1 : shape[axis - extra];
    return dim === 1 && (axis < extra || grad.shape[axis] !== 1);
  });
  return axes.length === 0 ? grad : reshape(b, reduceSum(b, grad, axes), shape);
}
