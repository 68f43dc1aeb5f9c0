// Gradients of reductions and normalisations.
import type { GraphBuilder } from '../../onnx/builder';
import type { Node, Value } from '../../onnx/graph';
import {
  add,
  div,
  expand,
  mul,
  reduceMean,
  reduceSum,
  reshape,
  scale,
  sqrt,
  sub,
} from '../../onnx/operators';
import type { ReductionAttributes } from '../../onnx/ops/reduction';
import { normalizeAxis } from '../../onnx/ops/schema';
import { gradOf, type GradRule, type NoGradient } from './rule';

type Reduction = 'ReduceSum' | 'ReduceMean' | 'ReduceSumSquare';

/** The gradient of a reduction with its dropped axes put back as 1, and how many elements each result came from. */
function restored(
  b: GraphBuilder,
  x: Value,
  axes: readonly number[],
  dy: Value,
): { grad: Value; count: number } {
  const dropped = new Set(axes.map((axis) => normalizeAxis(axis, x.shape.length)));
  return {
    grad: reshape(
      b,
      dy,
      x.shape.map((dim, i) => (dropped.has(i) ? 1 : dim)),
    ),
    count: x.shape.reduce((count, dim, i) => (dropped.has(i) ? count * dim : count), 1),
  };
}

const reduceRule =
  (formula: (b: GraphBuilder, x: Value, grad: Value, count: number) => Value): GradRule<Reduction> =>
  (b, node, grads) => {
    const x = node.inputs[0]!;
    const { grad, count } = restored(b, x, node.attributes.axes, gradOf(grads));
    return [formula(b, x, grad, count)];
  };

/**
 * dx of x̂ = (x − mean)·inv, mean and inverse standard deviation over `axes`, from g = d/dx̂:
 * inv·(g − mean(g) − x̂·mean(g·x̂)) (Ioffe & Szegedy 2015, with batch statistics written over any axes).
 */
function normalizeGrad(
  b: GraphBuilder,
  normalized: Value,
  inverse: Value,
  g: Value,
  axes: readonly number[],
): Value {
  const along = mul(b, normalized, reduceMean(b, mul(b, g, normalized), axes));
  return mul(b, sub(b, sub(b, g, reduceMean(b, g, axes)), along), inverse);
}

const layerNormalization: GradRule<'LayerNormalization'> = (b, node, grads, wanted) => {
  const [x, weight] = node.inputs as readonly [Value, Value];
  const [, mean, inverse] = node.outputs as readonly [Value, Value, Value];
  const dy = gradOf(grads);
  const at = normalizeAxis(node.attributes.axis, x.shape.length);
  const axes = [...x.shape.keys()].slice(at);
  const normalized = mul(b, sub(b, x, mean), inverse);
  return [
    wanted[0] ? normalizeGrad(b, normalized, inverse, mul(b, dy, weight), axes) : undefined,
    wanted[1] ? mul(b, dy, normalized) : undefined, // the walk sums over the other axes
    wanted[2] ? dy : undefined,
  ];
};

const instanceNormalization: GradRule<'InstanceNormalization'> = (b, node, grads, wanted) => {
  const [x, weight] = node.inputs as readonly [Value, Value];
  const dy = gradOf(grads);
  const axes = [...x.shape.keys()].slice(2);
  const perChannel = [x.shape[1]!, ...axes.map(() => 1)];
  const { normalized, inverse } = isPlain(b, node)
    ? takenFromOutput(b, node, axes)
    : recomputed(b, node, axes);
  const g = isPlain(b, node) ? dy : mul(b, dy, reshape(b, weight, perChannel));
  const sum = (value: Value) => reduceSum(b, value, [0, ...axes], false);
  return [
    wanted[0] ? normalizeGrad(b, normalized, inverse, g, axes) : undefined,
    wanted[1] ? sum(mul(b, dy, normalized)) : undefined,
    wanted[2] ? sum(dy) : undefined,
  ];
};

type Normalization = { readonly normalized: Value; readonly inverse: Value };

/** Whether the scale is all 1 and the bias all 0, so that the output is the normalised input itself. */
function isPlain(b: GraphBuilder, { inputs }: Node<'InstanceNormalization'>): boolean {
  const holds = (value: Value, x: number) =>
    b.constantData(value)?.every((each: number | bigint) => each === x) ?? false;
  return holds(inputs[1]!, 1) && holds(inputs[2]!, 0);
}

/**
 * From the output x̂ and the input alone: s = mean(x̂·x) = v·inv with variance v and inv = 1/√(v + ε), so s² = v²/(v + ε), whose
 * positive root is v = s·(s + √(s² + 4ε))/2, and inv = s/v = 2/(s + √(s² + 4ε)). One product and one sum over x, instead
 * of the mean, the centring, the square and the mean again.
 */
function takenFromOutput(
  b: GraphBuilder,
  node: Node<'InstanceNormalization'>,
  axes: readonly number[],
): Normalization {
  const normalized = node.outputs[0]!;
  const s = reduceMean(b, mul(b, normalized, node.inputs[0]!), axes);
  const root = sqrt(b, add(b, mul(b, s, s), b.scalar(4 * node.attributes.epsilon)));
  return { normalized, inverse: div(b, b.scalar(2), add(b, s, root)) };
}

/** In two passes: E[x²] − E[x]² loses digits. */
function recomputed(
  b: GraphBuilder,
  node: Node<'InstanceNormalization'>,
  axes: readonly number[],
): Normalization {
  const x = node.inputs[0]!;
  const centred = sub(b, x, reduceMean(b, x, axes));
  const variance = reduceMean(b, mul(b, centred, centred), axes);
  const inverse = b.node('Reciprocal', [sqrt(b, add(b, variance, b.scalar(node.attributes.epsilon)))], {});
  return { normalized: mul(b, centred, inverse), inverse };
}

export const reductionRules: { readonly [Name in keyof ReductionAttributes]: GradRule<Name> | NoGradient } = {
  ReduceSum: reduceRule((b, x, grad) => expand(b, grad, x.shape)),
  ReduceMean: reduceRule((b, x, grad, count) => expand(b, scale(b, grad, 1 / count), x.shape)),
  ReduceSumSquare: reduceRule((b, x, grad) => mul(b, scale(b, grad, 2), x)),
  // dx = y·(dy − Σ dy·y)
  Softmax: (b, node, grads) => {
    const y = node.outputs[0]!;
    const dy = gradOf(grads);
    return [mul(b, y, sub(b, dy, reduceSum(b, mul(b, dy, y), [node.attributes.axis])))];
  },
  LayerNormalization: layerNormalization,
  InstanceNormalization: instanceNormalization,
};
