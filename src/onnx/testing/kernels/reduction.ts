// Reference kernels of reductions and normalisations, in two passes. For tests only.
import type { Shape } from '../../graph';
import type { ReductionAttributes } from '../../ops/reduction';
import { normalizeAxis } from '../../ops/schema';
import { offsets, stridesOf, type Tensor } from '../tensor';
import type { Kernel, Kernels } from './kernel';

/** For each element of `shape`, the number of its group: those elements that differ only along `axes` are one group. */
function groupsOf(shape: Shape, axes: readonly number[]): Int32Array {
  const reduced = new Set(axes.map((axis) => normalizeAxis(axis, shape.length)));
  const strides = stridesOf(shape.map((dim, axis) => (reduced.has(axis) ? 1 : dim)));
  return offsets(
    shape,
    strides.map((stride, axis) => (reduced.has(axis) ? 0 : stride)),
  );
}

/** Sum of the values of each group. */
function sumGroups(values: Float64Array, groups: Int32Array): Float64Array {
  const sums = new Float64Array(groups.at(-1)! + 1); // the last element is in the last group
  values.forEach((value, i) => (sums[groups[i]!]! += value));
  return sums;
}

const reduce =
  (term: (x: number) => number, isMean = false): Kernel<'ReduceSum' | 'ReduceMean' | 'ReduceSumSquare'> =>
  ([x], { axes }) => {
    const sums = sumGroups(x!.data.map(term), groupsOf(x!.shape, axes));
    return [isMean ? sums.map((sum) => (sum * sums.length) / x!.data.length) : sums];
  };

/** (x − mean) / √(variance + epsilon) within each group, and each group's mean and inverse standard deviation. */
function normalize(x: Tensor, axes: readonly number[], epsilon: number) {
  const groups = groupsOf(x.shape, axes);
  const sums = sumGroups(x.data, groups);
  const count = x.data.length / sums.length;
  const mean = sums.map((sum) => sum / count);
  const centred = x.data.map((value, i) => value - mean[groups[i]!]!);
  const squares = sumGroups(
    centred.map((value) => value * value),
    groups,
  );
  const inverse = squares.map((sum) => 1 / Math.sqrt(sum / count + epsilon));
  return { normalized: centred.map((value, i) => value * inverse[groups[i]!]!), mean, inverse };
}

export const reductionKernels: Kernels<ReductionAttributes> = {
  ReduceSum: reduce((x) => x),
  ReduceMean: reduce((x) => x, true),
  ReduceSumSquare: reduce((x) => x * x),
  Softmax: ([x], { axis }) => {
    const groups = groupsOf(x!.shape, [axis]);
    const largest = new Float64Array(groups.at(-1)! + 1).fill(-Infinity);
    groups.forEach((group, i) => (largest[group] = Math.max(largest[group]!, x!.data[i]!)));
    const powers = x!.data.map((value, i) => Math.exp(value - largest[groups[i]!]!));
    const sums = sumGroups(powers, groups);
    return [powers.map((power, i) => power / sums[groups[i]!]!)];
  },
  LayerNormalization: ([x, weight, bias], { axis, epsilon }) => {
    const axes = [...x!.shape.keys()].slice(normalizeAxis(axis, x!.shape.length));
    const { normalized, mean, inverse } = normalize(x!, axes, epsilon);
    const size = weight!.data.length;
    const y = normalized.map(
      (value, i) => value * weight!.data[i % size]! + (bias ? bias.data[i % size]! : 0),
    );
    return [y, mean, inverse];
  },
  InstanceNormalization: ([x, weight, bias], { epsilon }) => {
    const axes = [...x!.shape.keys()].slice(2);
    const { normalized } = normalize(x!, axes, epsilon);
    const channels = x!.shape[1]!;
    const plane = x!.data.length / (x!.shape[0]! * channels);
    const channelOf = (i: number) => Math.floor(i / plane) % channels;
    return [normalized.map((value, i) => value * weight!.data[channelOf(i)]! + bias!.data[channelOf(i)]!)];
  },
};
