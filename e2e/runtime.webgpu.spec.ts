// The runtime on WebGPU: tensors that stay on the device, weights as inputs, failures, and a device that goes away.
import { expect, test } from '@playwright/test';
import type { RuntimeScenarios } from './engine-page/runtime.worker';
import { ask } from './engine-page/ask';
import { expectLayer, layerOutput } from './engine-page/layer';
import { servePage, type ServedPage } from './serve-page';

let server: ServedPage;

test.beforeAll(async () => {
  server = await servePage('engine-page', 4180);
});
test.afterAll(() => server.close());
test.beforeEach(async ({ page }) => {
  await page.goto(server.url);
});

test('a software GPU is taken when it is asked for, and passes the self-test', async ({ page }) => {
  const opened = await ask<RuntimeScenarios, 'open'>(page, 'runtime', 'open', 'webgpu');
  expect(opened).toMatchObject({
    ...{ backend: 'webgpu', threads: 1, fallbackReason: '', selfTestSays: '' },
    noHalfReason: 'this GPU has no 16-bit numbers',
  });
});

test('automatic prefers WebAssembly to a software GPU and says why', async ({ page }) => {
  const opened = await ask<RuntimeScenarios, 'open'>(page, 'runtime', 'open', 'automatic');
  expect(opened.backend).toBe('wasm');
  expect(opened.fallbackReason).toMatch(/swiftshader.* is no real GPU/i);
});

test('a program writes new tensors or given ones, which are copied and read back', async ({ page }) => {
  expectLayer(await ask<RuntimeScenarios, 'compute'>(page, 'runtime', 'compute', 'webgpu'));
});

test('weights of 8 and 4 bits stand for the same as on WebAssembly', async ({ page }) => {
  const [eight, four] = await ask<RuntimeScenarios, 'dequantize'>(page, 'runtime', 'dequantize', 'webgpu');
  expect(eight!.slice(0, 3)).toEqual([-64, -45.5, -27]); // (0, 37, 74 − 128) · 0.5
  expect(four!.slice(0, 4)).toEqual([-4, -4, -1.5, -3]); // of bytes 0x00 and 0x25: (0, 0, 5, 2 − 8) · 0.5
  expect([eight, four]).toEqual(
    await ask<RuntimeScenarios, 'dequantize'>(page, 'runtime', 'dequantize', 'wasm'),
  );
});

test('a node without a GPU kernel is refused instead of computed on the CPU', async ({ page }) => {
  const code = await ask<RuntimeScenarios, 'missingKernel'>(page, 'runtime', 'missingKernel', undefined);
  expect(code).toBe('engine-failed');
});

test('a run that fails leaves a program that runs', async ({ page }) => {
  const { code, y } = await ask<RuntimeScenarios, 'failedRun'>(page, 'runtime', 'failedRun', undefined);
  expect(code).toBe('engine-failed');
  expect(y).toEqual(layerOutput);
});

test('a device lost in the middle of a run is told by every call, and the next device works', async ({
  page,
}) => {
  const found = await ask<RuntimeScenarios, 'lostDevice'>(page, 'runtime', 'lostDevice', undefined);
  expect(found).toEqual({
    codes: {
      pending: 'device-lost',
      run: 'device-lost',
      read: 'device-lost',
      compile: 'device-lost',
      load: 'device-lost',
    },
    hasReason: true,
    memoryAfterwards: {},
    y: layerOutput,
    deviceCount: 2,
  });
});
