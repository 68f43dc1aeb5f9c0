// The runtime on WebAssembly in the browser: the page that is served has threads, and ONNX Runtime uses them.
import { expect, test } from '@playwright/test';
import { expectLayer } from './engine-page/layer';
import type { RuntimeScenarios } from './engine-page/runtime.worker';
import { ask } from './engine-page/ask';
import { servePage, type ServedPage } from './serve-page';

let server: ServedPage;

test.beforeAll(async () => {
  server = await servePage('engine-page', 4180);
});
test.afterAll(() => server.close());

test('the served app is isolated from other origins, which WebAssembly threads need', async ({ page }) => {
  await page.goto('./');
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
});

test('automatic takes WebAssembly where there is no GPU, says why, and computes on every core', async ({
  page,
}) => {
  await page.goto(server.url);
  const opened = await ask<RuntimeScenarios, 'open'>(page, 'runtime', 'open', 'automatic');
  const threads = Math.min(opened.hardwareConcurrency, 8);
  expect(opened).toMatchObject({ backend: 'wasm', threads, selfTestSays: '' });
  expect(opened.fallbackReason).toMatch(/no WebGPU|no GPU/);
  expect(opened.startedThreads).toEqual(Array(threads - 1).fill('em-pthread')); // the first is the worker itself
});

test('WebGPU that is asked for and not there is an error', async ({ page }) => {
  await page.goto(server.url);
  const opening = ask<RuntimeScenarios, 'open'>(page, 'runtime', 'open', 'webgpu');
  await expect(opening).rejects.toThrow(/webgpu-missing/);
});

test('a program writes new tensors or given ones, which are copied and read back', async ({ page }) => {
  await page.goto(server.url);
  expectLayer(await ask<RuntimeScenarios, 'compute'>(page, 'runtime', 'compute', 'wasm'));
});
