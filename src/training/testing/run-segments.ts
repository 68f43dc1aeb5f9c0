// A training step segment by segment, on anything that runs a graph, with the bytes that live at once. For tests only.
import { gradName, upstreamName, type Segment } from '../../autodiff/segments';
import { byteSizeOf, type Graph, type Value } from '../../onnx/graph';
import { peakBytes } from '../../onnx/liveness';
import type { Pack } from '../../onnx/packing';

type Named<T> = Readonly<Record<string, T>>;

/** Runs a graph on values by name and answers its outputs by name. */
export type Run<T> = (graph: Graph, feeds: Named<T>) => Promise<Named<T>>;

/**
 * Forward through the segments, then backward, each computed again: the loss and the gradient of every pack. `peak`: the most bytes of
 * what is kept between calls (boundary values, their gradients, results) and of what the running call makes.
 */
export async function runSegments<T>(
  segments: readonly Segment[],
  packs: readonly Pack[],
  feeds: Named<T>,
  run: Run<T>,
): Promise<{ readonly results: Named<T>; readonly peak: number }> {
  const kept = new Map<string, { readonly data: T; readonly bytes: number }>();
  const results: Record<string, T> = {};
  const packGrads = new Set(packs.map(gradName));
  let peak = 0;

  const call = async (graph: Graph): Promise<Named<T>> => {
    const bytes = [...kept.values()].reduce((sum, one) => sum + one.bytes, 0);
    peak = Math.max(peak, bytes + peakBytes(graph));
    const inputs = graph.inputs.map(({ name }): [string, T] => {
      const data = feeds[name] ?? kept.get(name)?.data;
      if (data === undefined) throw new Error(`${graph.name} wants ${name}`);
      return [name, data];
    });
    return run(graph, Object.fromEntries(inputs));
  };
  const keep = (name: string, value: Value, data: T) => {
    kept.set(name, { data, bytes: byteSizeOf(value) });
  };

  for (const { forward } of segments) {
    if (!forward) continue;
    const outputs = await call(forward);
    for (const value of forward.outputs) keep(value.name, value, outputs[value.name]!);
  }
  for (const { backward, boundary } of segments.toReversed()) {
    const outputs = backward ? await call(backward) : {};
    for (const value of backward?.outputs ?? []) {
      const data = outputs[value.name]!;
      const isResult = packGrads.has(value.name) || !value.name.startsWith(gradName({ name: '' }));
      if (isResult) results[value.name] = data;
      const of = { ...value, name: value.name.slice(gradName({ name: '' }).length) };
      keep(isResult ? value.name : upstreamName(of), value, data); // one that is there already was summed up
    }
    for (const value of boundary) {
      kept.delete(value.name);
      kept.delete(upstreamName(value));
    }
  }
  return { results, peak };
}
