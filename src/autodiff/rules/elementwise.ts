// Gradients of elementwise ops; y is the op's output, dy its gradient.
import type { Node, Value } from '../../onnx/graph';
import { add, cast, div, erf, exp, mul, neg, scale, sub } from '../../onnx/operators';
import type { ElementwiseAttributes } from '../../onnx/ops/elementwise';
import type { GraphBuilder } from '../../onnx/builder';
import { gradOf, type GradRule, type NoGradient } from './rule';

type UnaryRule = (
  b: GraphBuilder,
  node: Pick<Node, 'inputs' | 'outputs'>,
  outputGrads: readonly (Value | undefined)[],
) => readonly Value[];

/** A rule from its formula in (x, y, dy). */
const unary =
  (formula: (b: GraphBuilder, x: Value, y: Value, dy: Value) => Value): UnaryRule =>
  (b, node, grads) => [formula(b, node.inputs[0]!, node.outputs[0]!, gradOf(grads))];

/** y · (1 − y), shared by Sigmoid and what is built on it. */
const oneMinus = (b: GraphBuilder, x: Value): Value => sub(b, b.scalar(1), x);

/** d gelu(x)/dx = Φ(x) + x·φ(x), Φ(x) = (1 + erf(x/√2))/2, φ(x) = exp(−x²/2)/√(2π). */
function geluSlope(b: GraphBuilder, x: Value): Value {
  const cdf = scale(b, add(b, erf(b, scale(b, x, Math.SQRT1_2)), b.scalar(1)), 0.5);
  const density = scale(b, exp(b, scale(b, mul(b, x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return add(b, cdf, mul(b, x, density));
}

/** d/dx of 0.5·x·(1 + tanh(u)), u = √(2/π)·(x + 0.044715·x³). */
function geluTanhSlope(b: GraphBuilder, x: Value): Value {
  const c = Math.sqrt(2 / Math.PI);
  const square = mul(b, x, x);
  const u = mul(b, x, add(b, scale(b, square, c * 0.044715), b.scalar(c)));
  const t = b.node('Tanh', [u], {});
  const slope = add(b, scale(b, square, c * 3 * 0.044715), b.scalar(c)); // du/dx
  const bell = mul(b, mul(b, x, oneMinus(b, mul(b, t, t))), slope);
  return scale(b, add(b, add(b, t, b.scalar(1)), bell), 0.5);
}

export const elementwiseRules: {
  readonly [Name in keyof ElementwiseAttributes]: GradRule<Name> | NoGradient;
} = {
  Identity: unary((_b, _x, _y, dy) => dy),
  Neg: unary((b, _x, _y, dy) => neg(b, dy)),
  Exp: unary((b, _x, y, dy) => mul(b, dy, y)),
  Log: unary((b, x, _y, dy) => div(b, dy, x)),
  Sqrt: unary((b, _x, y, dy) => div(b, scale(b, dy, 0.5), y)), // d√x = 1/(2√x)
  Reciprocal: unary((b, _x, y, dy) => neg(b, mul(b, dy, mul(b, y, y)))), // d(1/x) = −1/x²
  Sigmoid: unary((b, _x, y, dy) => mul(b, dy, mul(b, y, oneMinus(b, y)))),
  Tanh: unary((b, _x, y, dy) => mul(b, dy, oneMinus(b, mul(b, y, y)))),
  Relu: unary((b, _x, y, dy) => mul(b, dy, cast(b, b.node('Greater', [y, b.scalar(0)], {}), dy.type))),
  // d erf(x)/dx = 2/√π · exp(−x²)
  Erf: unary((b, x, _y, dy) => mul(b, dy, scale(b, exp(b, neg(b, mul(b, x, x))), 2 / Math.sqrt(Math.PI)))),
  Gelu: (b, node, grads) => {
    const slope = node.attributes.approximate === 'tanh' ? geluTanhSlope : geluSlope;
    return [mul(b, gradOf(grads), slope(b, node.inputs[0]!))];
  },
  Cast: (b, node, grads) => {
    const { type } = node.inputs[0]!;
    const { to } = node.attributes;
    if (!type.startsWith('float') || !to.startsWith('float'))
      throw new Error(`the gradient of a cast from ${type} to ${to}`); // a step function
    return [cast(b, gradOf(grads), type)];
  },
  Add: (_b, _node, grads) => [gradOf(grads), gradOf(grads)],
  Sub: (b, _node, grads, wanted) => [gradOf(grads), wanted[1] ? neg(b, gradOf(grads)) : undefined],
  Mul: (b, node, grads, wanted) => [
    wanted[0] ? mul(b, gradOf(grads), node.inputs[1]!) : undefined,
    wanted[1] ? mul(b, gradOf(grads), node.inputs[0]!) : undefined,
  ],
  // d(x/z) = dx/z − (x/z)·dz/z
  Div: (b, node, grads, wanted) => {
    const quotient = div(b, gradOf(grads), node.inputs[1]!);
    return [quotient, wanted[1] ? neg(b, mul(b, quotient, node.outputs[0]!)) : undefined];
  },
  Min: 'no-gradient', // only in gradient clipping, outside every loss
  Max: 'no-gradient',
  Greater: 'no-gradient',
  Equal: 'no-gradient',
};
