// Weights on their way to the GPU: gigabytes go there, a few megabytes at a time. For a whole model: `npm run bench -- --only load`.
import { expect, test } from '@playwright/test';
import type { RuntimeScenarios } from './engine-page/runtime.worker';
import { ask } from './engine-page/ask';
import { servePage, type ServedPage } from './serve-page';
import { watchWorkers } from '../tools/worker-memory.mjs';

let server: ServedPage;

test.beforeAll(async () => {
  server = await servePage('engine-page', 4180);
});
test.afterAll(() => server.close());

test('while weights of real size load, the worker’s memory stays under 100 MB', async ({ page }) => {
  await page.goto(server.url);
  const { result, peaks } = await watchWorkers(page, () =>
    ask<RuntimeScenarios, 'loadReal'>(page, 'runtime', 'loadReal', ['text_encoder', 'vae']),
  );
  expect(result.sizeBytes).toBe(4 * (123_060_480 + 83_653_863)); // the largest matrix alone is 152 MB
  expect(result.wasmGrowth).toBe(0);
  expect(peaks['runtime.worker']).toBeGreaterThan(2 ** 20);
  expect(peaks['runtime.worker']).toBeLessThan(100e6);
});
