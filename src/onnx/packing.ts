// Many small matrices as one flat vector: what is trained is a vector θ for each segment, so that the optimizer, clipping and
// checkpoints are one line for a vector. The cuts stand outside the part of the graph that is differentiated.
import type { GraphBuilder } from './builder';
import { sizeOf, type Node, type Value } from './graph';
import { cast, concat, reshape, slice } from './operators';

/** A flat vector and the matrices that lie in it, one after the other, row-major. */
export type Pack = { readonly name: string; readonly members: readonly Value[] };

/** Elements of the whole vector. */
export const packSize = (pack: Pack): number =>
  pack.members.reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/** Adds the vector as a float32 input named like the pack, and the nodes that define each member by its own name, in the members' type. */
export function unpack(b: GraphBuilder, pack: Pack): void {
  const input = b.input(pack.name, 'float32', [packSize(pack)]);
  const theta = cast(b, input, pack.members[0]?.type ?? 'float32');
  let end = 0;
  for (const member of pack.members) {
    const start = end;
    end += sizeOf(member.shape);
    const piece = slice(b, theta, 0, start, end);
    const node: Node<'Reshape'> = {
      op: 'Reshape',
      inputs: [piece],
      outputs: [member],
      attributes: { shape: member.shape },
      segment: b.currentSegment,
    };
    b.append(node);
  }
}

/** The gradients of a pack's members as one vector; zeros for a member that the loss does not depend on. */
export function packGradients(b: GraphBuilder, pack: Pack, grads: readonly (Value | undefined)[]): Value {
  const flat = pack.members.map((member, i) => {
    const size = sizeOf(member.shape);
    const grad = grads[i];
    return grad ? reshape(b, grad, [size]) : b.constant(new Float32Array(size), [size]);
  });
  return concat(b, flat, 0);
}

/** The vector of `pack` from the vectors of packs that hold its members between them; zeros for a member that none holds. */
export function joinPacks(
  b: GraphBuilder,
  pack: Pack,
  parts: readonly Pack[],
  vectors: readonly Value[],
): Value {
  const pieces = new Map<string, Value>();
  parts.forEach((part, i) => {
    let end = 0;
    for (const { name, shape } of part.members) {
      const start = end;
      end += sizeOf(shape);
      pieces.set(name, slice(b, vectors[i]!, 0, start, end));
    }
  });
  return packGradients(
    b,
    pack,
    pack.members.map(({ name }) => pieces.get(name)),
  );
}
