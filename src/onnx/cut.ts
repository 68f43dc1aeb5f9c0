// Cuts a graph into graphs that run one after the other. Within one graph ORT keeps a dead tensor's memory for the next of its shape
// (liveness.ts): from the way down of a UNet to its way up, unless they are two graphs.
import { assert } from '../base/assert';
import { blockOf, byteSizeOf, type Graph, type Node, type Value } from './graph';
import { peakBytes } from './liveness';

/**
 * `graph` block by block. A value that crosses is an output of one and an input of later ones, under its own name; nodes that stand
 * before the first block (scaled samples, matrices cut from packed vectors) are copied to where they are used.
 */
export function cutIntoBlocks(graph: Graph): readonly Graph[] {
  const names = [...new Set(graph.nodes.map(({ segment }) => blockOf(segment)))].filter(
    (name) => name !== '',
  );
  assert(names.length > 0, `${graph.name} has blocks`);
  const lead = new Map(
    graph.nodes
      .filter(({ segment }) => segment === '')
      .flatMap((node) => node.outputs.map((value) => [value.name, node] as const)),
  );
  const blocks = names.map((name) => {
    const own = graph.nodes.filter(({ segment }) => blockOf(segment) === name);
    return { name, nodes: [...leading(own, lead), ...own] };
  });
  const used = blocks.map(({ nodes }) => new Set(nodes.flatMap(({ inputs }) => inputs.map((x) => x?.name))));
  const results = new Set(graph.outputs.map(({ name }) => name));
  const crossing: Value[] = []; // made in earlier blocks
  return blocks.map(({ name, nodes }, i) => {
    const isUsed = (value: Value) => used[i]!.has(value.name);
    const made = nodes.filter(({ segment }) => segment !== '').flatMap(({ outputs }) => outputs);
    const outputs = made.filter(
      (value) => results.has(value.name) || used.slice(i + 1).some((later) => later.has(value.name)),
    );
    const block = {
      name: `${graph.name} ${name}`,
      inputs: [...graph.inputs, ...crossing].filter(isUsed),
      parameters: graph.parameters.filter(isUsed),
      constants: graph.constants.filter(({ value }) => isUsed(value)),
      nodes,
      outputs,
    };
    crossing.push(...outputs);
    return block;
  });
}

/** The nodes of `lead` that `nodes` need, in order. */
function leading(nodes: readonly Node[], lead: ReadonlyMap<string, Node>): readonly Node[] {
  const needed = new Set<Node>();
  const visit = (node: Node) => {
    for (const input of node.inputs) {
      const source = input && lead.get(input.name);
      if (!source || needed.has(source)) continue;
      visit(source);
      needed.add(source);
    }
  };
  nodes.forEach(visit);
  return [...needed];
}

/** The values that nobody needs once graph `i` of a chain has run, the chain's own outputs aside. */
export function lastUsed(chain: readonly Graph[], i: number): readonly string[] {
  const later = new Set(chain.slice(i + 1).flatMap(({ inputs }) => inputs.map(({ name }) => name)));
  const made = new Set(chain.slice(0, i).flatMap(({ outputs }) => outputs.map(({ name }) => name)));
  return chain[i]!.inputs.map(({ name }) => name).filter((name) => made.has(name) && !later.has(name));
}

/** Peak bytes of a chain: what crosses, and what a graph holds meanwhile. */
export function chainPeakBytes(chain: readonly Graph[], dispatchesHeld: number): number {
  const held = new Map<string, number>();
  let peak = 0;
  chain.forEach((graph, i) => {
    const crossing = [...held.values()].reduce((sum, bytes) => sum + bytes, 0);
    peak = Math.max(peak, crossing + peakBytes(graph, dispatchesHeld));
    for (const name of lastUsed(chain, i)) held.delete(name);
    for (const value of graph.outputs) held.set(value.name, byteSizeOf(value));
  });
  return peak;
}
