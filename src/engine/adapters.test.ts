import { describe, expect, test } from 'vitest';
import type { LoraModule as AdaptedModule } from '../models/lora';
import { loraPacks } from '../models/stable-diffusion';
import type { LoraModule } from '../weights/lora-module';
import {
  initialVectors,
  joinVectors,
  layoutOf,
  modulesOf,
  packsOfLayout,
  ranksOf,
  splitVectors,
  vectorsOf,
} from './adapters';

const adapted: readonly AdaptedModule[] = [
  { module: 'unet.b.conv', segment: 'two', rank: 2, down: [2, 3, 3, 3], up: [4, 2, 1, 1] },
  { module: 'unet.a.to_q', segment: 'one', rank: 2, down: [2, 5], up: [6, 2] },
  { module: 'unet.b.attn', segment: 'two', rank: 1, down: [1, 4], up: [4, 1] },
];
const packs = loraPacks(adapted);

const sizeOf = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);
/** Matrices with a number of their own in every place. */
function moduleOf({ module, rank, down, up }: AdaptedModule, i: number, alpha: number): LoraModule {
  const matrix = (shape: readonly number[], start: number) => ({
    shape,
    data: Float32Array.from({ length: sizeOf(shape) }, (_, at) => start + at),
  });
  return { module, rank, alpha, down: matrix(down, 1000 * i), up: matrix(up, 1000 * i + 500) };
}
const modules = adapted.map((module, i) => moduleOf(module, i, module.rank));
const byName = (list: readonly LoraModule[]) =>
  [...list].sort((one, other) => (one.module < other.module ? -1 : 1));

test('modules become vectors and come back as they were', () => {
  const vectors = vectorsOf(packs, modules);
  expect(Object.fromEntries(Object.entries(vectors).map(([name, { length }]) => [name, length]))).toEqual({
    'theta.one': 10 + 12,
    'theta.two': 4 + 4 + 54 + 8,
  });
  expect([...vectors['theta.two']!.subarray(0, 9)]).toEqual([
    2000, 2001, 2002, 2003, 2500, 2501, 2502, 2503, 0,
  ]);
  expect(byName(modulesOf(packs, vectors))).toEqual(byName(modules));
});

test('alpha over rank is folded into the up matrices, so that what comes back says alpha = rank', () => {
  const halved = adapted.map((module, i) => moduleOf(module, i, module.rank / 2));
  const expected = modules.map((module) => ({
    ...module,
    up: { ...module.up, data: module.up.data.map((x) => x / 2) },
  }));
  expect(byName(modulesOf(packs, vectorsOf(packs, halved)))).toEqual(byName(expected));
});

test('a module that the packs ask for and nobody has is a bug', () => {
  expect(() => vectorsOf(packs, modules.slice(1))).toThrow('unet.b.conv');
});

test('vectors become one and are cut again', () => {
  const vectors = vectorsOf(packs, modules);
  const whole = joinVectors(packs, vectors);
  expect(whole).toHaveLength(22 + 70);
  expect(splitVectors(packs, whole)).toEqual(vectors);
});

describe('a stored layout', () => {
  test('gives the packs back, through JSON too', () => {
    expect(packsOfLayout(JSON.parse(JSON.stringify(layoutOf(adapted))))).toEqual(packs);
  });

  test.each([
    undefined,
    'text',
    [{ module: 'a' }],
    [{ ...layoutOf(adapted)[0], rank: 0 }],
    [{ ...layoutOf(adapted)[0], down: [2.5, 3] }],
  ])('that is damaged is refused: %j', (layout) => {
    expect(() => packsOfLayout(layout)).toThrow(
      expect.objectContaining({ code: 'storage-failed', details: { what: 'checkpoint' } }),
    );
  });
});

test('ranks are those of the modules, 0 elsewhere', () => {
  const rankOf = ranksOf(modules);
  const ranks = ['unet.a.to_q', 'unet.b.attn', 'unet.c'].map((module) => rankOf(module, 'linear', [1, 1]));
  expect(ranks).toEqual([2, 1, 0]);
});

describe('the start of a run', () => {
  const wide: readonly AdaptedModule[] = [
    { module: 'unet.a.to_q', segment: 'one', rank: 4, down: [4, 2000], up: [30, 4] },
    { module: 'unet.a.to_v', segment: 'one', rank: 4, down: [4, 2000], up: [30, 4] },
  ];
  const start = (seed: number) => modulesOf(loraPacks(wide), initialVectors(loraPacks(wide), seed));

  test('changes nothing: B is zero, A normal with deviation 1 / rank', () => {
    for (const { down, up } of start(5)) {
      expect(up.data.every((x) => x === 0)).toBe(true);
      const deviation = Math.sqrt(down.data.reduce((sum, x) => sum + x * x, 0) / down.data.length);
      expect(Math.abs(deviation - 1 / 4)).toBeLessThan(0.01); // 0.25 / √16000 is 0.002
    }
  });

  test('is a function of the seed, and other numbers in every layer', () => {
    expect(start(5)).toEqual(start(5));
    expect(start(5)[0]!.down).not.toEqual(start(6)[0]!.down);
    expect(start(5)[0]!.down).not.toEqual(start(5)[1]!.down);
  });
});
