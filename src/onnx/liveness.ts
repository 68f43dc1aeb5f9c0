// How many bytes of intermediate tensors a graph holds at once, when each is freed after its last use. ORT does so on both
// backends (reference counts), but chooses its own order, so this is an estimate for it and exact for the order given.
import { byteSizeOf, type Graph } from './graph';

/** Ops whose output is the input's own memory. */
const views = new Set(['Reshape', 'Identity']);

/** Bytes of the largest tensor that a node makes. */
export const largestTensorBytes = (graph: Graph): number =>
  graph.nodes.reduce((largest, { outputs }) => Math.max(largest, ...outputs.map(byteSizeOf)), 0);

/** Peak bytes of what the nodes make, outputs included and inputs, parameters and constants left out. */
export function peakBytes(graph: Graph): number {
  const owner = new Map<string, string>(); // a view's name → the value that owns its memory
  const ownerOf = (name: string): string => owner.get(name) ?? name;
  for (const node of graph.nodes)
    if (views.has(node.op)) owner.set(node.outputs[0]!.name, ownerOf(node.inputs[0]!.name));

  const lastUse = new Map<string, number>();
  graph.nodes.forEach((node, i) => {
    for (const value of [...node.inputs, ...node.outputs]) if (value) lastUse.set(ownerOf(value.name), i);
  });
  for (const output of graph.outputs) lastUse.set(ownerOf(output.name), graph.nodes.length);

  const sizes = new Map<string, number>();
  let live = 0;
  let peak = 0;
  graph.nodes.forEach((node, i) => {
    for (const output of node.outputs) {
      if (ownerOf(output.name) !== output.name) continue;
      sizes.set(output.name, byteSizeOf(output));
      live += byteSizeOf(output);
    }
    peak = Math.max(peak, live);
    const touched = new Set(
      [...node.inputs, ...node.outputs].flatMap((value) => (value ? [ownerOf(value.name)] : [])),
    );
    for (const name of touched) if (lastUse.get(name) === i) live -= sizes.get(name) ?? 0;
  });
  return peak;
}
