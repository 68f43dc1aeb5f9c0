// A sample as a graph with data to feed it. For tests only.
import { counterNormals } from '../../base/random';
import { GraphBuilder } from '../builder';
import { sizeOf, type Graph, type Value } from '../graph';
import { cast } from '../operators';
import type { OpName } from '../ops/ops';
import { samples, type Sample, type SampleInput } from './samples';
import { tensor, type Tensor } from './tensor';

/**
 * A sample's node in a builder that can still grow. The graph takes float32 parameters x0, x1, … (int32 inputs for int32), cast to
 * the types that the sample asks for, and `results` are the node's outputs cast to float32.
 */
export type SampleGraph = {
  readonly builder: GraphBuilder;
  readonly fed: readonly Value[]; // what the graph takes: x0, x1, …
  readonly outputs: readonly Value[]; // the node's own
  readonly results: readonly Value[]; // the outputs as float32
  readonly feeds: Readonly<Record<string, Tensor>>;
};

/** What a test of this sample is called: op, input shapes, attributes. */
export function titleOf<Op extends OpName>(op: Op, { inputs, attributes }: Sample<Op>): string {
  const shapes = inputs.map((input) => (input ? `${input.type ?? ''}[${input.shape.join()}]` : '-'));
  return `${op} ${shapes.join(' ')} ${JSON.stringify(attributes)}`;
}

/** A test for every sample of every op. */
export function forEachSample(visit: <Op extends OpName>(op: Op, sample: Sample<Op>) => void): void {
  const visitAll = <Op extends OpName>(op: Op) => {
    for (const sample of samples[op]) visit(op, sample);
  };
  (Object.keys(samples) as OpName[]).forEach((op) => {
    visitAll(op);
  });
}

export function buildSample<Op extends OpName>(op: Op, { inputs, attributes }: Sample<Op>): SampleGraph {
  const builder = new GraphBuilder(op);
  const feeds: Record<string, Tensor> = {};
  const fed: Value[] = [];
  const taken = inputs.map((input, i) => {
    if (!input) return undefined;
    const name = `x${i}`;
    const isIndex = input.type === 'int32';
    const value = isIndex
      ? builder.input(name, 'int32', input.shape)
      : builder.parameter(name, input.shape, 'float32');
    feeds[name] = sampleData(input, i);
    fed.push(value);
    return isIndex ? value : cast(builder, value, input.type ?? 'float32');
  });
  const outputs = builder.nodeOutputs(op, taken, attributes);
  const results = outputs.map((output) => cast(builder, output, 'float32'));
  return { builder, fed, outputs, results, feeds };
}

/** The graph that answers the results as y0, y1, … */
export const finishSample = ({ builder, results }: SampleGraph): Graph =>
  builder.finish(Object.fromEntries(results.map((result, i) => [`y${i}`, result])));

/** The values that a sample gives, or normals that float32 holds exactly, moved into the input's domain. */
function sampleData({ shape, values, domain }: SampleInput, seed: number): Tensor {
  if (values) return tensor(shape, values);
  const normals = counterNormals(seed, 'noise', 0, sizeOf(shape));
  if (domain === 'positive')
    return tensor(
      shape,
      normals.map((value) => Math.abs(value) + 0.5),
    );
  if (domain === 'away-from-zero')
    return tensor(
      shape,
      normals.map((value) => value + Math.sign(value) * 0.5),
    );
  return tensor(shape, normals);
}
