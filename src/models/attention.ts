// Scaled dot-product attention over several heads (Vaswani et al. 2017), written out so that it can be differentiated.
import type { GraphBuilder } from '../onnx/builder';
import { byteSizeOf, type DataType, type Value } from '../onnx/graph';
import { add, cast, concat, matMul, reshape, scale, slice, softmax, transpose } from '../onnx/operators';
import { linear, within, type Scope } from './layers';

export type AttentionNames = {
  readonly q: string;
  readonly k: string;
  readonly v: string;
  readonly out: string;
};

/** The names of diffusers' Attention module. */
export const diffusersNames: AttentionNames = { q: 'to_q', k: 'to_k', v: 'to_v', out: 'to_out.0' };

/**
 * softmax(Q Kᵀ / √d + mask) V, then the output projection: x [n·t, c], context [n·s, c'] (x itself for self-attention),
 * mask broadcastable to [n, heads, t, s]; n is `batch`. The width of q, k and v is c. Tokens of all samples stand in one
 * matrix, since that is what a linear layer takes. Scores larger than the scope's `largestBytes` are computed some heads, or
 * some queries of one head, at a time; each piece is a part of its own, and so is what follows them. `upcast`: queries and keys are
 * multiplied, and the softmax is taken, in float32.
 */
export function attention(
  scope: Scope,
  x: Value,
  context: Value,
  options: {
    batch: number;
    heads: number;
    bias: boolean;
    names: AttentionNames;
    mask?: Value;
    upcast?: boolean;
  },
): Value {
  const { builder: b } = scope;
  const { batch: n, heads, bias, names, mask, upcast = false } = options;
  const [rows, c] = x.shape as readonly [number, number];
  const t = rows / n;
  const s = context.shape[0]! / n;
  const d = c / heads;
  const q = reshape(b, linear(within(scope, names.q), x, c, { bias }), [n, t, heads, d]);
  const k = reshape(b, linear(within(scope, names.k), context, c, { bias }), [n, s, heads, d]);
  const v = reshape(b, linear(within(scope, names.v), context, c, { bias }), [n, s, heads, d]);
  const inScores = (value: Value) => (upcast ? cast(b, value, 'float32') : value);
  const all: Projections = {
    queries: inScores(transpose(b, scale(b, q, 1 / Math.sqrt(d)), [0, 2, 1, 3])), // scaled here: q is smaller than the scores
    keys: inScores(transpose(b, k, [0, 2, 3, 1])),
    values: transpose(b, v, [0, 2, 1, 3]),
    mask,
  };
  const mixed = transpose(b, mixInPieces(scope, all), [0, 2, 1, 3]);
  return linear(within(scope, names.out), reshape(b, mixed, [rows, c]), c);
}

type Projections = {
  readonly queries: Value; // [n, heads, t, d]
  readonly keys: Value; // [n, heads, d, s]
  readonly values: Value; // [n, heads, s, d]
  readonly mask: Value | undefined;
};

/** Softmax of the scores [n, heads, t, s], times the values: [n, heads, t, d]. */
function mix(b: GraphBuilder, { queries, keys, values, mask }: Projections): Value {
  const scores = matMul(b, queries, keys);
  const shares = softmax(b, mask ? add(b, scores, mask) : scores);
  return matMul(b, cast(b, shares, values.type), values);
}

function mixInPieces({ builder: b, path, largestBytes }: Scope, all: Projections): Value {
  const [n, heads, t] = all.queries.shape as readonly [number, number, number, number];
  const { type } = all.queries;
  const cuts = cutScores({ n, heads, t, s: all.keys.shape[3]!, type }, largestBytes);
  if (cuts.heads.length === 1 && cuts.queries.length === 1) return mix(b, all);
  // All cuts are made before the first piece: a piece then needs nothing but its own share.
  const pieces = cuts.heads.map(([first, end]) => {
    const ofHeads = (x: Value) => slice(b, x, 1, first, end);
    const queries = ofHeads(all.queries);
    const shared = { keys: ofHeads(all.keys), values: ofHeads(all.values) };
    return cuts.queries.map(([start, stop]) => ({
      ...shared,
      queries: slice(b, queries, 2, start, stop),
      mask: all.mask && slice(b, all.mask, 2, start, stop),
    }));
  });
  const mixed = pieces.map((ofHeads, i) =>
    ofHeads.map((piece, j) => {
      b.part(`${path} piece ${i}.${j}`);
      return mix(b, piece);
    }),
  );
  b.part(`${path} out`);
  return concat(
    b,
    mixed.map((ofQueries) => concat(b, ofQueries, 2)),
    1,
  );
}

type Range = readonly [start: number, end: number];

/** The ranges of heads and of queries whose scores [n, heads, queries, s] hold at most `largestBytes` each. */
function cutScores(
  { n, heads, t, s, type }: { n: number; heads: number; t: number; s: number; type: DataType },
  largestBytes: number,
): { readonly heads: readonly Range[]; readonly queries: readonly Range[] } {
  const queryBytes = byteSizeOf({ type, shape: [n, s] });
  const headsAtOnce = Math.floor(largestBytes / (queryBytes * t));
  return headsAtOnce >= 1
    ? { heads: evenly(heads, headsAtOnce), queries: [[0, t]] }
    : { heads: evenly(heads, 1), queries: evenly(t, Math.max(1, Math.floor(largestBytes / queryBytes))) };
}

/** [0, count) in ranges of nearly the same length, `most` at the most. */
function evenly(count: number, most: number): readonly Range[] {
  const pieces = Math.max(1, Math.ceil(count / most)); // most may be infinite
  const edge = (i: number) => Math.round((i * count) / pieces);
  return Array.from({ length: pieces }, (_, i) => [edge(i), edge(i + 1)]);
}
