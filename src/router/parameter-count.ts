// How large a model is, read from its name: "26b-a4b" is 26 billion parameters of which 4 are active, "1t" is 1000, "8x7b" is 56.
import type { ParameterCount } from './status';

// A size stands between separators: "gemma-4-31b-it", not the "3b" of "web3bot". "350m" is 0.35.
const sizePattern = /(?:^|[^a-z0-9.])(a)?(?:(\d{1,3})x)?(\d+(?:\.\d+)?)([mbt])(?![a-z0-9])/g;
const billions = { m: 1e-3, b: 1, t: 1000 } as const;

/** The count that the first telling name has, in billions, or undefined. */
export function parseParameterCount(...names: readonly (string | undefined)[]): ParameterCount | undefined {
  for (const name of names) {
    const found = name === undefined ? undefined : parseName(name.toLowerCase());
    if (found) return found;
  }
  return undefined;
}

function parseName(name: string): ParameterCount | undefined {
  let total: number | undefined;
  let active: number | undefined;
  for (const [, a, experts, number, unit] of name.matchAll(sizePattern)) {
    const size = Number(number) * Number(experts ?? 1) * billions[unit as keyof typeof billions];
    if (a !== undefined) active ??= size;
    else total ??= size;
  }
  return total === undefined ? undefined : { total, active: active ?? total };
}
