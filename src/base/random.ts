// Random numbers without hidden state. Two families: PyTorch's CPU generator (MT19937), so that a seed draws the picture that diffusers
// draws, and a counter-based generator (Philox4x32-10) for training, whose every value is a pure function of its arguments.
import { assert } from './assert';

const twoTo32 = 2 ** 32;

/** Next 32-bit word of a Mersenne twister (Matsumoto and Nishimura 1998, MT19937) seeded as `torch.manual_seed`: low 32 bits of `seed`. */
function createMt19937(seed: number): () => number {
  assert(
    Number.isSafeInteger(seed) && seed >= 0,
    `seed must be a whole number from 0 to 2^53 - 1, got ${seed}`,
  );
  const state = new Uint32Array(624);
  state[0] = seed % twoTo32;
  for (let i = 1; i < 624; i++) {
    const last = state[i - 1]!;
    state[i] = Math.imul(1812433253, last ^ (last >>> 30)) + i;
  }
  let position = 624;

  function twist(): void {
    for (let i = 0; i < 624; i++) {
      const y = (state[i]! & 0x80000000) | (state[(i + 1) % 624]! & 0x7fffffff);
      state[i] = state[(i + 397) % 624]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    position = 0;
  }

  return () => {
    if (position === 624) twist();
    let y = state[position++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}

/** One generator whose successive calls draw what the same calls of torch.randn draw. */
export type TorchGenerator = {
  /** `torch.randn(length, dtype=torch.float32, generator=g)`, to within 2e-6. */
  randn(length: number): Float32Array<ArrayBuffer>;
};

/**
 * A generator equal to `torch.Generator("cpu").manual_seed(seed)`. `seed` is a whole number up to 2^53 - 1, of which torch
 * uses the low 32 bits. Follows ATen's native/cpu/DistributionTemplates.h (normal_fill) and core/DistributionsHelper.h.
 */
export function createTorchGenerator(seed: number): TorchGenerator {
  const nextWord = createMt19937(seed);
  let cached: number | undefined; // the second normal of a scalar pair, kept across calls

  // 53 bits of a 64-bit draw whose first word is the high one
  function uniform53(): number {
    const high = nextWord();
    return ((high & 0x1fffff) * twoTo32 + nextWord()) / 2 ** 53;
  }

  function scalarNormal(): number {
    if (cached !== undefined) {
      const value = cached;
      cached = undefined;
      return value;
    }
    const theta = 2 * Math.PI * uniform53();
    const radius = Math.sqrt(-2 * Math.log1p(-uniform53()));
    cached = radius * Math.sin(theta);
    return radius * Math.cos(theta);
  }

  function fillUniform24(values: Float32Array): void {
    for (let i = 0; i < values.length; i++) values[i] = (nextWord() & 0xffffff) / 2 ** 24;
  }

  // Box-Muller over 16 uniforms in place: element j with element j + 8
  function normalFill16(values: Float32Array, start: number): void {
    for (let j = start; j < start + 8; j++) {
      const radius = Math.sqrt(-2 * Math.log(1 - values[j]!));
      const theta = Math.fround(Math.fround(2 * Math.PI) * values[j + 8]!); // the float32 angle of the AVX2 kernel
      values[j] = radius * Math.cos(theta);
      values[j + 8] = radius * Math.sin(theta);
    }
  }

  return {
    randn(length) {
      const values = new Float32Array(length);
      if (length < 16) {
        for (let i = 0; i < length; i++) values[i] = scalarNormal();
        return values;
      }
      fillUniform24(values);
      for (let start = 0; start + 16 <= length; start += 16) normalFill16(values, start);
      if (length % 16 !== 0) {
        fillUniform24(values.subarray(length - 16)); // the last 16 are drawn anew
        normalFill16(values, length - 16);
      }
      return values;
    },
  };
}

/** The first `length` normals of a fresh torch CPU generator: `torch.randn(length, generator=torch.Generator().manual_seed(seed))`. */
export function torchRandn(seed: number, length: number): Float32Array<ArrayBuffer> {
  return createTorchGenerator(seed).randn(length);
}

export type PhiloxKey = readonly [number, number];
export type PhiloxCounter = readonly [number, number, number, number];

// High 32 bits of the product of two 32-bit words.
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16); // < 2^32
  const carry = (middle & 0xffff) + aLow * bHigh; // < 2^32
  return aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000);
}

/**
 * Philox4x32-10: four 32-bit words as a pure function of key and counter (32-bit words each).
 * Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */
export function philox4x32(
  key: PhiloxKey,
  counter: PhiloxCounter,
): readonly [number, number, number, number] {
  let [k0, k1] = key;
  let [c0, c1, c2, c3] = counter;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

// The numbers are part of every stored run: never change one, only add.
const streams = {
  noise: 1,
  timestep: 2,
  order: 3,
  flip: 4,
  latent: 5,
  'lora-init': 6,
  'class-order': 7,
  evaluation: 8,
  'model-choice': 9,
} as const;

/** What a random value is for; two streams never share a value. */
export type RandomStream = keyof typeof streams;

// Four words for (seed, stream, step) at `block`.
function words(seed: number, stream: RandomStream, step: number, block: number): readonly number[] {
  return philox4x32([seed % twoTo32, Math.floor(seed / twoTo32)], [block, step, streams[stream], 0]);
}

function checkCounter(seed: number, step: number, index: number): void {
  assert(
    Number.isSafeInteger(seed) && seed >= 0,
    `seed must be a whole number from 0 to 2^53 - 1, got ${seed}`,
  );
  assert(step >>> 0 === step, `step must be a whole number below 2^32, got ${step}`);
  assert(index >>> 0 === index, `index must be a whole number below 2^32, got ${index}`);
}

/** `length` standard normals for (seed, stream, step): Box-Muller in float64 over 32-bit uniforms, four a Philox block. A longer draw begins with the shorter one. */
export function counterNormals(
  seed: number,
  stream: RandomStream,
  step: number,
  length: number,
): Float32Array<ArrayBuffer> {
  checkCounter(seed, step, 0);
  const values = new Float32Array(length);
  for (let i = 0; i < length; i += 4) {
    const block = words(seed, stream, step, i / 4);
    for (let pair = 0; pair < 4; pair += 2) {
      const radius = Math.sqrt(-2 * Math.log((block[pair]! + 1) / twoTo32)); // uniform in (0, 1]
      const theta = (2 * Math.PI * block[pair + 1]!) / twoTo32;
      values[i + pair] = radius * Math.cos(theta); // writes past the end are ignored
      values[i + pair + 1] = radius * Math.sin(theta);
    }
  }
  return values;
}

/** A uniform number in [0, 1) with 53 bits for (seed, stream, step); `index` tells the draws of one step apart (the item of a batch). */
export function counterUniform(seed: number, stream: RandomStream, step: number, index = 0): number {
  checkCounter(seed, step, index);
  const [high, low] = words(seed, stream, step, index);
  return ((high! >>> 11) * twoTo32 + low!) / 2 ** 53;
}

/** A whole number in [0, bound), bound at most 2^32, for (seed, stream, step, index). */
export function counterInteger(
  seed: number,
  stream: RandomStream,
  step: number,
  bound: number,
  index = 0,
): number {
  assert(
    Number.isInteger(bound) && bound >= 1 && bound <= twoTo32,
    `bound must be from 1 to 2^32, got ${bound}`,
  );
  return Math.floor(counterUniform(seed, stream, step, index) * bound);
}

/** The numbers 0 to n - 1 in an order that is a function of (seed, stream, epoch): Fisher-Yates with one draw an exchange. */
export function counterPermutation(
  seed: number,
  stream: RandomStream,
  epoch: number,
  n: number,
): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = counterInteger(seed, stream, epoch, i + 1, i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
