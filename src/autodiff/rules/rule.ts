// What a gradient rule is.
import type { GraphBuilder } from '../../onnx/builder';
import type { Node, Value } from '../../onnx/graph';
import type { OpName } from '../../onnx/ops/ops';

/**
 * From the gradients of a node's outputs to those of its inputs (vector-Jacobian product). `wanted[i]` says whether input i
 * needs one: a rule leaves the others undefined. A gradient may have the broadcast shape: the walk sums it back (backward.ts).
 */
export type GradRule<Op extends OpName> = (
  b: GraphBuilder,
  node: Node<Op>,
  outputGrads: readonly (Value | undefined)[],
  wanted: readonly boolean[],
) => readonly (Value | undefined)[];

/** An op whose result does not vary smoothly with its inputs, or whose gradient no model of ours needs. */
export type NoGradient = 'no-gradient';

/** The gradient of the first output, which the walk has made sure of. */
export function gradOf(outputGrads: readonly (Value | undefined)[]): Value {
  const grad = outputGrads[0];
  if (!grad) throw new Error('the first output has no gradient');
  return grad;
}
