import { expect, test } from 'vitest';
import { PreviewPace } from './preview-pace';

/** Steps of `stepMs` until `endMs`, with a preview of `costMs` whenever one is due: when each began, and the time that all took. */
async function run(stepMs: number, costMs: number, endMs: number) {
  let now = 0;
  const pace = new PreviewPace(() => now);
  const begins: number[] = [];
  let steps = 0;
  while (steps * stepMs < endMs) {
    now += stepMs;
    steps++;
    if (!pace.isDue()) continue;
    begins.push(now);
    await pace.measure(async () => void (now += costMs));
  }
  return { begins, delay: now / (steps * stepMs) - 1 };
}

test('a preview that costs nothing comes twice a second, however fast the steps are', async () => {
  expect((await run(20, 0, 2000)).begins).toEqual([500, 1000, 1500, 2000]);
});

test('slow steps have one each', async () => {
  expect((await run(3000, 100, 12_000)).begins).toEqual([3000, 6100, 9200, 12_300]);
});

test('previews delay the drawing by a tenth at most, after the first, whose cost nobody knows', async () => {
  const { begins, delay } = await run(100, 400, 60_000);
  expect(begins.slice(0, 3)).toEqual([500, 4900, 9300]);
  expect(delay).toBeLessThan(0.101);
});
