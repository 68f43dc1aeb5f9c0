// Training and sampling on WebGPU against PyTorch and WebAssembly, with a tiny model, in the app's own engine. The runtime refuses
// every node that the GPU has no kernel for, so nothing here is computed elsewhere.
import { readFile } from 'node:fs/promises';
import { expect, test, type Page } from '@playwright/test';
import { expectedRun, type TinyRunFixture } from '../src/engine/testing/tiny-run';
import { ask } from './engine-page/ask';
import type { TrainingScenarios } from './engine-page/training.worker';
import { servePage, type ServedPage } from './serve-page';

let server: ServedPage;
let page: Page; // one for all tests: most of the time goes into compiling shaders
let fixture: TinyRunFixture;

test.beforeAll(async ({ browser }) => {
  const file = new URL('../src/training/__fixtures__/training-run-tiny.json', import.meta.url);
  fixture = JSON.parse(await readFile(file, 'utf8')) as TinyRunFixture;
  server = await servePage('engine-page', 4180);
  page = await browser.newPage();
  await page.goto(server.url);
});
test.afterAll(async () => {
  await page.close();
  await server.close();
});

const relativeError = (found: readonly number[], wanted: readonly number[]) =>
  Math.max(...wanted.map((value, i) => Math.abs(found[i]! / value - 1)));

for (const tier of ['fast', 'balanced', 'tight'] as const) {
  test(`three training steps in tier ${tier} are those of PyTorch`, async () => {
    const run = await ask<TrainingScenarios, 'train'>(page, 'training', 'train', { fixture, tier });
    const wanted = expectedRun(fixture);
    expect(run.backend).toBe('webgpu');
    expect(relativeError(run.losses, wanted.losses)).toBeLessThanOrEqual(1e-3);
    expect(relativeError(run.gradNorms, wanted.gradNorms)).toBeLessThanOrEqual(1e-3);
    expect(run.changeDistance).toBeLessThanOrEqual(1e-2);
    expect(relativeError([run.lossAfterwards], [wanted.lossAfterwards])).toBeLessThanOrEqual(1e-3);
  });
}

test('two guided sampling steps with an adapter are those of WebAssembly', async () => {
  const [onGpu, onCpu] = [
    await ask<TrainingScenarios, 'sample'>(page, 'training', 'sample', { fixture, backend: 'webgpu' }),
    await ask<TrainingScenarios, 'sample'>(page, 'training', 'sample', { fixture, backend: 'wasm' }),
  ];
  expect([onGpu.backend, onCpu.backend]).toEqual(['webgpu', 'wasm']);
  const most = (values: readonly number[]) => Math.max(...values.map(Math.abs));
  const difference = most(onCpu.latents.map((x, i) => x - onGpu.latents[i]!));
  expect(most(onCpu.latents)).toBeGreaterThan(0.1);
  expect(difference / most(onCpu.latents)).toBeLessThanOrEqual(1e-3);
});

test('nothing of it stays in memory', async () => {
  const accounts = await ask<TrainingScenarios, 'dispose'>(page, 'training', 'dispose', undefined);
  expect(accounts).toEqual([{}, {}]);
});
