import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import { AppError } from '../base/errors';
import { loadSetting } from '../storage/settings';
import { chooseEngine, openEngine, refreshEngine, restartEngine } from './engine';
import { defaultChoices, memoryTotal, type EngineState } from './engine-state';
import { createFakeEngine, fakeInfo, fakeModel, type FakeEngine } from './testing/fake-engine';
import { createTestApp } from './testing/test-app';

test('opens, loads the model and tells the memory in use', async () => {
  const { app } = createTestApp();
  const phases: EngineState['phase'][] = [];
  app.engine.subscribe(({ phase }) => phases.push(phase));
  await openEngine(app);
  expect([...new Set(phases)]).toEqual(['opening', 'loading', 'ready']);
  await refreshEngine(app);
  const state = app.engine.getState();
  expect(state).toMatchObject({ phase: 'ready', info: fakeInfo, model: fakeModel });
  expect(state.phase === 'ready' && memoryTotal(state.memory)).toBe(8e6);
});

test('an engine that cannot open says why, and can be started again', async () => {
  const broken = createFakeEngine();
  const refusing = {
    ...broken.client,
    open: () => Promise.reject(new AppError('webgpu-missing', { reason: 'no adapter' })),
  };
  const engines = [refusing, createFakeEngine().client];
  const { app } = createTestApp({ connectEngine: () => engines.shift()! });
  await openEngine(app);
  expect(app.engine.getState()).toMatchObject({ phase: 'failed', failure: { code: 'webgpu-missing' } });
  await restartEngine(app);
  expect(app.engine.getState().phase).toBe('ready');
});

test('an engine that dies later is told at once', async () => {
  const { app, engine } = createTestApp();
  await openEngine(app);
  engine.die();
  await Promise.resolve();
  await expect
    .poll(() => app.engine.getState())
    .toMatchObject({
      phase: 'failed',
      failure: { code: 'engine-failed' },
    });
});

test('another choice of compute is kept and closes the engine before', async () => {
  const engines: FakeEngine[] = [createFakeEngine(), createFakeEngine()];
  const [first, second] = engines as [FakeEngine, FakeEngine];
  let closed = 0;
  const clients = [{ ...first.client, close: () => void closed++ }, second.client];
  const { app } = createTestApp({ connectEngine: () => clients.shift()! });
  await openEngine(app);
  await chooseEngine(app, { compute: 'wasm' });
  expect([...first.opened, ...second.opened, closed]).toEqual([
    defaultChoices,
    { ...defaultChoices, compute: 'wasm' },
    1,
  ]);
  expect(await loadSetting('compute')).toBe('wasm');
  expect(app.engine.getState()).toMatchObject({ phase: 'ready', compute: 'wasm', precision: 'automatic' });
});

test('another choice of precision opens the engine anew with all choices, as the next page load does', async () => {
  const engines: FakeEngine[] = [createFakeEngine(), createFakeEngine(), createFakeEngine()];
  const clients = engines.map(({ client }) => client);
  const { app } = createTestApp({ connectEngine: () => clients.shift()! });
  await openEngine(app);
  await chooseEngine(app, { precision: 'full' });
  await chooseEngine(app, { precision: 'full' });
  await openEngine(app);
  const [before, after] = ['automatic', 'full'].map((precision) => [
    { ...defaultChoices, compute: 'wasm', precision },
  ]);
  expect(engines.map(({ opened }) => opened)).toEqual([before, after, after]);
});
