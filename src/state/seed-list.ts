// A list of seeds as a person types it: "1, 5, 9-12".
const largestSeed = 2 ** 32 - 1;
const mostSeeds = 100; // pictures of one request

/** The seeds in order, [] for an empty text; undefined where it is no list of up to 100 seeds from 0 to 2^32 − 1. */
export function parseSeedList(text: string): readonly number[] | undefined {
  const seeds: number[] = [];
  for (const part of text.split(',').map((part) => part.trim())) {
    if (part === '') continue;
    const found = /^(\d+)(?:\s*[-–]\s*(\d+))?$/.exec(part);
    if (!found) return undefined;
    const [first, last] = [Number(found[1]), Number(found[2] ?? found[1])];
    if (last < first || last > largestSeed || seeds.length + last - first >= mostSeeds) return undefined;
    for (let seed = first; seed <= last; seed++) seeds.push(seed);
  }
  return seeds;
}
