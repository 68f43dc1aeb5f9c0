// Cuts a loss graph into segments, each a pair of graphs: forward (boundary → boundary) and backward (boundary and upstream
// gradient → recompute → gradients). Recomputation happens between ORT calls, never inside one graph, where ORT's
// common-subexpression pass would merge the recomputed nodes with the originals (Chen et al. 2016 describe the trade).
import { assert } from '../base/assert';
import { GraphBuilder } from '../onnx/builder';
import { blockOf, type Graph, type Node, type Value } from '../onnx/graph';
import { backward, dependents } from './backward';
import { joinPacks, packGradients, packSize, unpack, type Pack } from '../onnx/packing';

/** One segment. `backward` also recomputes; it is missing where nothing trained lies in or before the segment. */
export type Segment = {
  readonly name: string;
  /** Missing for the last segment, whose outputs come with its backward graph, and for joins of gradients. */
  readonly forward: Graph | undefined;
  readonly backward: Graph | undefined;
  /** Values made here that later segments use; they and their gradients are freed once it has run backward. */
  readonly boundary: readonly Value[];
};

/** Names in backward graphs: the gradient that later segments found for `value`, and the one with this segment's share. */
export const upstreamName = (value: Value): string => `upstream.${value.name}`;
export const gradName = (value: { readonly name: string }): string => `grad.${value.name}`;

/** The whole step as one graph: outputs of `loss` and the gradient of every pack, named grad.<pack>. */
export function differentiate(loss: Graph, packs: readonly Pack[]): Graph {
  const b = copyOf(loss, loss.nodes, packs, 'grad_');
  const members = packs.flatMap((pack) => pack.members);
  const forward = [...b.nodes];
  const grads = backward(b, forward, seedsOf(b, loss), members);
  return b.finish({ ...outputsOf(loss), ...packedGrads(b, packs, members, grads) });
}

/** Where recomputation cuts: at every block of the model, or at every part of a block. */
export type SegmentSize = 'block' | 'part';

/** The same as segments, in forward order; a node's segment is where its model function put it. */
export function cutSegments(
  loss: Graph,
  packs: readonly Pack[],
  size: SegmentSize = 'block',
): readonly Segment[] {
  const graph = size === 'part' ? loss : { ...loss, nodes: loss.nodes.map(inItsBlock) };
  const names = [...new Set(graph.nodes.map((node) => node.segment))];
  const nodesOf = new Map(names.map((name) => [name, graph.nodes.filter((node) => node.segment === name)]));
  const home = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((value) => [value.name, node.segment])),
  );
  const order = new Map(names.map((name, i) => [name, i]));
  const boundary = boundaryValues(graph, home, order);
  const varying = dependents(
    graph.nodes,
    packs.flatMap((pack) => pack.members),
  );
  const last = names.at(-1)!;
  const shares = packs.map((pack) => sharesOf(pack, names, nodesOf));

  return names.flatMap((name): Segment[] => {
    const nodes = nodesOf.get(name)!;
    const made = [...boundary.values()].filter((value) => home.get(value.name) === name);
    const own = packs.filter((_, i) => shares[i]!.some((share) => share.segment === name));
    const results = shares.flatMap((list) => list.filter(({ segment }) => segment === name));
    const isLast = name === last;
    const trains = nodes.some((node) => node.outputs.some((value) => varying.has(value.name)));
    const segment = {
      name,
      forward: isLast ? undefined : forwardGraph(graph, name, nodes, own, made),
      backward: trains
        ? backwardGraph(graph, name, nodes, own, made, { boundary, home, varying, isLast, results })
        : undefined,
      boundary: made,
    };
    // Where several segments have a share in a pack, the first of them is the last to find its gradient: before it comes the join.
    const joins = packs.flatMap((pack, i) =>
      shares[i]!.length > 1 && shares[i]![0]!.segment === name ? [joinSegment(pack, shares[i]!)] : [],
    );
    return [...joins, segment];
  });
}

const inItsBlock = (node: Node): Node => ({ ...node, segment: blockOf(node.segment) });

/** The members of a pack that one segment uses, as a pack whose gradient it finds; the pack itself where it uses all. */
type Share = Pack & { readonly segment: string };

function sharesOf(
  pack: Pack,
  names: readonly string[],
  nodesOf: ReadonlyMap<string, readonly Node[]>,
): readonly Share[] {
  const shares = names.flatMap((segment): Share[] => {
    const members = pack.members.filter((member) => uses(nodesOf.get(segment)!, member));
    return members.length > 0 ? [{ name: `${pack.name} of ${segment}`, members, segment }] : [];
  });
  return shares.length === 1 ? [{ ...pack, segment: shares[0]!.segment }] : shares;
}

/** A segment without a forward half: the gradients of a pack's shares become that of the pack. */
function joinSegment(pack: Pack, shares: readonly Share[]): Segment {
  const boundary = shares.map((share): Value => ({
    name: share.name,
    type: 'float32',
    shape: [packSize(share)],
  }));
  const b = new GraphBuilder(`${pack.name} join`);
  const vectors = boundary.map((value) => b.input(upstreamName(value), value.type, value.shape));
  const backward = b.finish({ [gradName(pack)]: joinPacks(b, pack, shares, vectors) });
  return { name: `${pack.name} join`, forward: undefined, backward, boundary };
}

const uses = (nodes: readonly Node[], value: Value): boolean =>
  nodes.some((node) => node.inputs.some((input) => input?.name === value.name));

const outputsOf = (graph: Graph): Record<string, Value> =>
  Object.fromEntries(graph.outputs.map((value) => [value.name, value]));

/** d loss / d loss = 1. */
const seedsOf = (b: GraphBuilder, loss: Graph) => loss.outputs.map((value) => ({ value, grad: b.scalar(1) }));

/** Values that cross from one segment to a later one. */
function boundaryValues(
  loss: Graph,
  home: ReadonlyMap<string, string>,
  order: ReadonlyMap<string, number>,
): ReadonlyMap<string, Value> {
  const boundary = new Map<string, Value>();
  for (const node of loss.nodes)
    for (const input of node.inputs) {
      const from = input && home.get(input.name);
      if (from === undefined || from === node.segment) continue;
      assert(
        order.get(from)! < order.get(node.segment)!,
        `${node.segment} comes before ${from}, which it uses`,
      );
      boundary.set(input!.name, input!);
    }
  return boundary;
}

/** A builder that holds `nodes` and everything they take from outside: inputs, weights, constants, boundaries, packed matrices. */
function copyOf(loss: Graph, nodes: readonly Node[], packs: readonly Pack[], prefix: string): GraphBuilder {
  const b = new GraphBuilder(loss.name, prefix);
  const packed = new Set(packs.flatMap((pack) => pack.members.map((member) => member.name)));
  const inside = new Set(nodes.flatMap((node) => node.outputs.map((value) => value.name)));
  const parameters = new Set(loss.parameters.map((value) => value.name));
  const constants = new Map(loss.constants.map((constant) => [constant.value.name, constant]));
  const taken = new Set<string>();
  for (const pack of packs) unpack(b, pack);
  for (const node of nodes)
    for (const value of node.inputs) {
      if (!value || inside.has(value.name) || packed.has(value.name) || taken.has(value.name)) continue;
      taken.add(value.name);
      const constant = constants.get(value.name);
      if (constant) b.adoptConstant(constant);
      else b.adopt(parameters.has(value.name) ? 'parameter' : 'input', value);
    }
  for (const node of nodes) b.append(node);
  return b;
}

function forwardGraph(
  loss: Graph,
  name: string,
  nodes: readonly Node[],
  packs: readonly Pack[],
  made: readonly Value[],
) {
  const b = copyOf({ ...loss, name: `${name} forward` }, nodes, packs, 'forward_');
  return b.finish(Object.fromEntries(made.map((value) => [value.name, value])), { dropUnusedInputs: true });
}

function backwardGraph(
  loss: Graph,
  name: string,
  nodes: readonly Node[],
  packs: readonly Pack[],
  made: readonly Value[],
  context: {
    boundary: ReadonlyMap<string, Value>;
    home: ReadonlyMap<string, string>;
    varying: ReadonlySet<string>;
    isLast: boolean;
    results: readonly Pack[];
  },
): Graph {
  const { boundary, home, varying, isLast, results } = context;
  const b = copyOf({ ...loss, name: `${name} backward` }, nodes, packs, 'grad_');
  const forward = [...b.nodes];
  const seeds = isLast
    ? seedsOf(b, loss)
    : made
        .filter((value) => varying.has(value.name))
        .map((value) => ({ value, grad: b.input(upstreamName(value), value.type, value.shape) }));
  // Gradients that leave: of the trained matrices, and of what earlier segments made. Where a later segment has used the same
  // value already, its share comes in as the upstream gradient and the sum goes out.
  const entering = [...boundary.values()].filter(
    (value) => home.get(value.name) !== name && varying.has(value.name) && uses(nodes, value),
  );
  const names = [...new Set(loss.nodes.map((node) => node.segment))];
  const later = new Set(names.slice(names.indexOf(name) + 1));
  for (const value of entering)
    if (loss.nodes.some((node) => later.has(node.segment) && uses([node], value)))
      seeds.push({ value, grad: b.input(upstreamName(value), value.type, value.shape) });
  const members = results.flatMap((pack) => pack.members);
  const grads = backward(b, forward, seeds, [...members, ...entering]);
  const leaving = entering.map((value, i): [string, Value] => [gradName(value), grads[members.length + i]!]);
  return b.finish(
    {
      ...(isLast ? outputsOf(loss) : {}),
      ...packedGrads(b, results, members, grads),
      ...Object.fromEntries(leaving),
    },
    { dropUnusedInputs: true },
  );
}

function packedGrads(
  b: GraphBuilder,
  packs: readonly Pack[],
  members: readonly Value[],
  grads: readonly (Value | undefined)[],
): Record<string, Value> {
  return Object.fromEntries(
    packs.map((pack) => [
      gradName(pack),
      packGradients(
        b,
        pack,
        pack.members.map((member) => grads[members.indexOf(member)]),
      ),
    ]),
  );
}
