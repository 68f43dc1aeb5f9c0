// A sample with its gradients, as one graph. For tests only.
import { counterNormals } from '../../base/random';
import { sizeOf, type Graph, type Value } from '../../onnx/graph';
import type { OpName } from '../../onnx/ops/ops';
import { buildSample, finishSample } from '../../onnx/testing/sample-graph';
import type { Sample } from '../../onnx/testing/samples';
import { tensor, type Tensor } from '../../onnx/testing/tensor';
import { backward } from '../backward';
import { rules } from '../rules/rules';

export type GradientSample = {
  readonly forward: Graph; // y0, …
  readonly gradient: Graph; // the gradients of Σ dy0 · y0 with respect to x0, x1, …, named dx0, dx1, …
  readonly fed: readonly Value[]; // what `gradient` takes: x0, x1, …, dy0
  readonly wrt: readonly Value[]; // the float inputs
  readonly feeds: Readonly<Record<string, Tensor>>;
};

/** Whether the sample's op has a gradient; of Cast, only what goes from floats to floats. */
export function hasGradient<Op extends OpName>(op: Op, sample: Sample<Op>): boolean {
  if (rules[op] === 'no-gradient') return false;
  const { fed, outputs } = buildSample(op, sample);
  return op !== 'Cast' || [fed[0]!, outputs[0]!].every(({ type }) => type.startsWith('float'));
}

/** Throws where the op has no gradient for the sample. */
export function buildGradientSample<Op extends OpName>(op: Op, sample: Sample<Op>): GradientSample {
  const forward = finishSample(buildSample(op, sample));
  const { builder, fed, results, feeds } = buildSample(op, sample);
  const y = results[0]!;
  const dy = builder.input('dy0', 'float32', y.shape);
  const wrt = fed.filter((value) => value.type === 'float32');
  const grads = backward(builder, [...builder.nodes], [{ value: y, grad: dy }], wrt);
  const named = wrt.flatMap((value, i) => (grads[i] ? [[`d${value.name}`, grads[i]] as const] : []));
  return {
    forward,
    gradient: builder.finish(Object.fromEntries(named)),
    fed: [...fed, dy],
    wrt,
    feeds: { ...feeds, dy0: seedData(dy) },
  };
}

/** Normals in eighths, which float16 holds exactly. */
const seedData = ({ shape }: Value): Tensor =>
  tensor(
    shape,
    counterNormals(99, 'noise', 0, sizeOf(shape)).map((value) => Math.round(value * 8) / 8),
  );
