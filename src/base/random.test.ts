import { describe, expect, test } from 'vitest';
import fixture from './__fixtures__/randn.json';
import {
  counterInteger,
  counterNormals,
  counterPermutation,
  counterUniform,
  createTorchGenerator,
  philox4x32,
  torchRandn,
} from './random';

function decode(base64: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  return new Float32Array(bytes.buffer);
}

function maxAbsDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let max = 0;
  for (let i = 0; i < expected.length; i++) max = Math.max(max, Math.abs(actual[i]! - expected[i]!));
  return max;
}

describe('torchRandn', () => {
  for (const draw of [...fixture.draws, ...fixture.longSeeds]) {
    test(`equals torch.randn for seed ${draw.seed}, length ${draw.length}`, () => {
      const values = torchRandn(draw.seed, draw.length);
      if ('values' in draw) {
        expect(maxAbsDifference(values, decode(draw.values))).toBeLessThanOrEqual(2e-6);
        return;
      }
      const largest = draw.largestIndex.map((i) => values[i]!);
      expect(maxAbsDifference(largest, decode(draw.largest))).toBeLessThanOrEqual(2e-6);
      const every997 = values.filter((_, i) => i % 997 === 0);
      expect(maxAbsDifference(values.subarray(0, 32), decode(draw.first))).toBeLessThanOrEqual(2e-6);
      expect(maxAbsDifference(every997, decode(draw.every997))).toBeLessThanOrEqual(2e-6);
      expect(maxAbsDifference(values.subarray(-32), decode(draw.last))).toBeLessThanOrEqual(2e-6);
      expect(values.reduce((sum, x) => sum + x, 0)).toBeCloseTo(draw.sum, 2);
      expect(values.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(draw.sumOfSquares, 1);
    });
  }

  for (const { seed, lengths, calls } of fixture.successive) {
    test(`successive calls of lengths ${lengths.join(', ')} follow one torch generator`, () => {
      const generator = createTorchGenerator(seed);
      for (const [i, length] of lengths.entries()) {
        expect(maxAbsDifference(generator.randn(length), decode(calls[i]!))).toBeLessThanOrEqual(2e-6);
      }
    });
  }

  test('refuses a seed that is not a whole number', () => {
    expect(() => torchRandn(-1, 4)).toThrow('seed');
    expect(() => torchRandn(0.5, 4)).toThrow('seed');
  });
});

describe('philox4x32', () => {
  // kat_vectors of the Random123 library, philox4x32 with 10 rounds
  test('gives the known answers of Random123', () => {
    const max = 0xffffffff;
    expect(philox4x32([0, 0], [0, 0, 0, 0])).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
    expect(philox4x32([max, max], [max, max, max, max])).toEqual([
      0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd,
    ]);
    expect(philox4x32([0xa4093822, 0x299f31d0], [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344])).toEqual([
      0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1,
    ]);
  });
});

describe('counterNormals', () => {
  test('are standard normal', () => {
    const n = 100000;
    const values = counterNormals(1, 'noise', 5, n);
    const moment = (power: number) => values.reduce((sum, x) => sum + x ** power, 0) / n;
    expect(Math.abs(moment(1))).toBeLessThan(0.01);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.02);
    expect(Math.abs(moment(3))).toBeLessThan(0.03);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.1);
    const neighbours = values.reduce((sum, x, i) => sum + x * (values[i + 1] ?? 0), 0) / n;
    expect(Math.abs(neighbours)).toBeLessThan(0.01);
  });

  test('depend on seed, stream and step and on nothing else', () => {
    const values = counterNormals(7, 'noise', 3, 10);
    counterNormals(8, 'noise', 3, 10);
    expect(counterNormals(7, 'noise', 3, 10)).toEqual(values);
    expect(counterNormals(7, 'noise', 3, 4)).toEqual(values.slice(0, 4));
    const others = [
      counterNormals(8, 'noise', 3, 10),
      counterNormals(7 + 2 ** 32, 'noise', 3, 10),
      counterNormals(7, 'latent', 3, 10),
      counterNormals(7, 'noise', 4, 10),
    ];
    for (const other of others) expect(maxAbsDifference(other, values)).toBeGreaterThan(0.5);
  });

  test('stay what stored runs were made with', () => {
    const expected = [0.2639767, -1.7268461, -0.0712978, -0.9138171, 0.4526406];
    expect(maxAbsDifference(counterNormals(42, 'noise', 1, 5), expected)).toBeLessThanOrEqual(1e-6);
    expect(counterUniform(3, 'timestep', 9, 2)).toBeCloseTo(0.3060526222420874, 15);
  });
});

describe('counter draws of single numbers', () => {
  test('uniforms fill [0, 1) evenly', () => {
    const counts = new Array<number>(10).fill(0);
    for (let step = 0; step < 10000; step++) counts[Math.floor(counterUniform(3, 'flip', step) * 10)]!++;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  test('whole numbers reach every value below the bound and differ by index', () => {
    const values = Array.from({ length: 200 }, (_, index) => counterInteger(3, 'timestep', 9, 7, index));
    expect([...new Set(values)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(counterInteger(3, 'timestep', 9, 1000)).toBe(counterInteger(3, 'timestep', 9, 1000, 0));
    expect(() => counterInteger(3, 'timestep', 9, 0)).toThrow('bound');
    expect(() => counterUniform(3, 'timestep', -1)).toThrow('step');
  });

  test('permutations hold every number once, differ by epoch and put each number everywhere', () => {
    const n = 5;
    const counts = Array.from({ length: n }, () => new Array<number>(n).fill(0));
    for (let epoch = 0; epoch < 2000; epoch++) {
      const order = counterPermutation(1, 'order', epoch, n);
      expect([...order].sort()).toEqual([0, 1, 2, 3, 4]);
      order.forEach((value, place) => counts[place]![value]!++);
    }
    for (const count of counts.flat()) expect(Math.abs(count - 400)).toBeLessThan(80);
    expect(counterPermutation(1, 'order', 0, 0)).toEqual(new Uint32Array(0));
  });
});
