// Adapters of a fixture: the ranks that it gives its layers, and the packed vectors that the graphs take. For tests only.
import type { Shape } from '../../onnx/graph';
import type { Pack } from '../../onnx/packing';
import type { RankOf } from '../lora';
import type { LoraNote } from './fixture';

/** Adapts exactly the fixture's layers. */
export function ranksOf({ rank, modules }: LoraNote): RankOf {
  const names = new Set(modules.map(({ module }) => module));
  return (module) => (names.has(module) ? rank : 0);
}

/** The vector of every pack, from each matrix by its name. */
export function packedVectors(
  packs: readonly Pack[],
  matrix: (name: string, shape: Shape) => ArrayLike<number>,
): Record<string, Float32Array> {
  return Object.fromEntries(
    packs.map(({ name, members }) => [
      name,
      Float32Array.from(members.flatMap((member) => Array.from(matrix(member.name, member.shape)))),
    ]),
  );
}

/** The matrices that lie in the packs' vectors, by name. */
export function unpackedVectors(
  packs: readonly Pack[],
  vectors: (pack: string) => ArrayLike<number>,
): ReadonlyMap<string, Float64Array> {
  const matrices = new Map<string, Float64Array>();
  for (const pack of packs) {
    const vector = Float64Array.from(vectors(pack.name));
    let end = 0;
    for (const { name, shape } of pack.members) {
      const start = end;
      end += shape.reduce((size, dim) => size * dim, 1);
      matrices.set(name, vector.subarray(start, end));
    }
  }
  return matrices;
}
