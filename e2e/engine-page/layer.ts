// What the scenario "compute" of runtime.worker.ts has to answer, whatever the runtime.
import { expect } from '@playwright/test';
import type { RuntimeScenarios } from './runtime.worker';

/** x · weight + bias for the rows [1, 0], [0, 1], [1, 1], [2, 0], [0, 2]. */
export const layerOutput = [1.5, 1, 3.25, 4.5, 4, 6.25, 5.5, 6, 9.25, 2.5, 3, 6.25, 8.5, 9, 12.25];

const third = 0.333251953125; // 1 / 3 as float16

/** Checks every number of the scenario. */
export function expectLayer(found: Awaited<ReturnType<RuntimeScenarios['compute']>>): void {
  const { memoryInUse, z, ...rest } = found;
  expect(rest).toEqual({
    y: layerOutput,
    zeros: Array(15).fill(0),
    isGivenTensor: true,
    written: Array.from({ length: 5 }, () => [5.5, 6, 9.25]).flat(),
    copied: layerOutput,
    odd: [1, 2, 3, 4, 5],
    memoryAfterwards: {},
  });
  const rows = [1, 0, 0, 1, 1, 1, 2, 0, 0, 2];
  z.forEach((value, i) => expect(value).toBeCloseTo(rows[i]! + (i % 2 === 0 ? third : -2), 6));
  expect(z).toHaveLength(rows.length);
  // 11 float32 numbers at least: buffers of a GPU are rounded up
  expect(memoryInUse['net weights']).toBeGreaterThanOrEqual(44);
  expect(memoryInUse['state']).toBeGreaterThanOrEqual(60);
}
