// How many bytes of intermediate tensors ORT holds at once when it runs a graph: an account of its memory plan
// (core/framework/allocation_planner.cc), for which nothing is run.
import { byteSizeOf, type Graph, type Node, type Value } from './graph';

/** Ops whose output is the input's own memory. */
const views = new Set(['Reshape', 'Identity']);

/** Bytes of the largest tensor that a node makes. */
export const largestTensorBytes = (graph: Graph): number =>
  graph.nodes.reduce((largest, { outputs }) => Math.max(largest, ...outputs.map(byteSizeOf)), 0);

/** A piece of memory: the tensors of one shape that live in it, one after the other. */
type Block = { readonly bytes: number; readonly shape: string; users: number };

/**
 * Peak bytes of what the nodes make, outputs included and inputs, parameters and constants left out. ORT plans ahead: a dead tensor's
 * memory waits for the next tensor of the same type and shape, and is freed only after the last of them. On WebGPU a freed buffer is
 * there until the commands that use it are submitted, which happens once in `dispatchesHeld` kernels.
 */
export function peakBytes(graph: Graph, dispatchesHeld = 0): number {
  const nodes = fused(graph);
  const { blockOf, lastUse } = planBlocks(nodes, graph.outputs);
  const held = new Set<Block>();
  let freed: Block[] = [];
  let live = 0;
  let peak = 0;
  let dispatches = 0;
  nodes.forEach((node, i) => {
    for (const output of node.outputs) {
      const block = blockOf.get(output.name)!;
      if (held.has(block)) continue;
      held.add(block);
      live += block.bytes;
    }
    peak = Math.max(peak, live);
    for (const block of blocksOf(node, blockOf)) if (lastUse.get(block) === i) freed.push(block);
    if (!views.has(node.op)) dispatches++;
    if (dispatchesHeld > 0 && dispatches % dispatchesHeld > 0) return;
    for (const block of freed) live -= block.bytes;
    freed = [];
  });
  return peak;
}

/** The nodes as ORT runs them, as far as it matters here: x · sigmoid(x) is one kernel. */
function fused({ nodes, outputs }: Graph): readonly Node[] {
  const uses = countUses(nodes, outputs);
  const gateOf = new Map<string, string>(); // x → sigmoid(x), where nobody else takes it
  for (const { op, inputs, outputs: made } of nodes)
    if (op === 'Sigmoid' && uses.get(made[0]!.name) === 1) gateOf.set(inputs[0]!.name, made[0]!.name);
  const gates = new Set(
    nodes
      .filter(({ op, inputs }) => op === 'Mul' && gateOf.get(inputs[0]!.name) === inputs[1]!.name)
      .map(({ inputs }) => inputs[1]!.name),
  );
  return nodes.filter((node) => !gates.has(node.outputs[0]!.name));
}

function countUses(nodes: readonly Node[], outputs: readonly Value[]): Map<string, number> {
  const uses = new Map<string, number>();
  for (const value of [...nodes.flatMap(({ inputs }) => inputs), ...outputs])
    if (value) uses.set(value.name, (uses.get(value.name) ?? 0) + 1);
  return uses;
}

/** The memory of every value that a node makes, and the node after which it is freed. */
function planBlocks(
  nodes: readonly Node[],
  results: readonly Value[],
): {
  readonly blockOf: ReadonlyMap<string, Block>;
  readonly lastUse: ReadonlyMap<Block, number>;
} {
  const uses = countUses(nodes, results);
  const outputs = new Set(results.map(({ name }) => name));
  const blockOf = new Map<string, Block>();
  const lastUse = new Map<Block, number>();
  const waiting = new Map<string, Block[]>(); // by shape: what later tensors may take

  const blockFor = (value: Value, source: Value | undefined): Block => {
    const own = source && blockOf.get(source.name); // a view
    if (own) return own;
    const shape = `${value.type} ${value.shape.join()}`;
    const reused = outputs.has(value.name) ? undefined : waiting.get(shape)?.pop();
    return reused ?? { bytes: byteSizeOf(value), shape, users: 0 };
  };
  const release = (block: Block) => {
    if (block.users > 0) return;
    const same = waiting.get(block.shape) ?? [];
    same.push(block);
    waiting.set(block.shape, same);
  };
  nodes.forEach((node, i) => {
    for (const output of node.outputs) {
      const block = blockFor(output, views.has(node.op) ? node.inputs[0] : undefined);
      block.users += uses.get(output.name) ?? 0;
      blockOf.set(output.name, block);
    }
    for (const input of node.inputs) {
      const block = input && blockOf.get(input.name);
      if (block) block.users--;
    }
    for (const block of blocksOf(node, blockOf)) {
      lastUse.set(block, i);
      release(block);
    }
  });
  for (const { name } of results) lastUse.set(blockOf.get(name)!, nodes.length);
  return { blockOf, lastUse };
}

/** The blocks that a node reads and writes. */
const blocksOf = ({ inputs, outputs }: Node, blockOf: ReadonlyMap<string, Block>): ReadonlySet<Block> =>
  new Set(
    [...inputs, ...outputs].flatMap((value) => {
      const block = value && blockOf.get(value.name);
      return block ? [block] : [];
    }),
  );
