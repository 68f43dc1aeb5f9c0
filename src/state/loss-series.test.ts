import { expect, test } from 'vitest';
import { createLossSeries } from './loss-series';

test('keeps one point per step and a running mean', () => {
  const series = createLossSeries();
  let told = 0;
  series.subscribe(() => told++);
  for (const [i, loss] of [4, 2, 3].entries()) series.addStep(i + 1, loss);
  expect(series.steps).toEqual([1, 2, 3]);
  expect(series.losses).toEqual([4, 2, 3]);
  expect(series.smoothed).toEqual([4, 3, 3]);
  expect(told).toBe(3);
});

test('steps that come again replace what followed them', () => {
  const series = createLossSeries();
  series.reset(Float32Array.of(4, 2, 3, 1));
  series.addEvaluation(2, 0.5);
  series.addEvaluation(4, 0.4);
  series.addStep(3, 8);
  series.addEvaluation(3, 0.45);
  expect(series.steps).toEqual([1, 2, 3]);
  expect(series.losses).toEqual([4, 2, 8]);
  expect(series.evaluations).toEqual([
    { step: 2, loss: 0.5 },
    { step: 3, loss: 0.45 },
  ]);
});

test('the mean forgets old losses', () => {
  const series = createLossSeries();
  series.reset(new Float32Array(200).fill(1));
  for (let step = 201; step <= 300; step++) series.addStep(step, 0);
  expect(series.smoothed.at(-1)).toBeCloseTo((1 - 0.06) ** 100, 6);
});

test('a listener that left is not told', () => {
  const series = createLossSeries();
  let told = 0;
  series.subscribe(() => told++)();
  series.addStep(1, 1);
  expect(told).toBe(0);
});
