import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import { AppError } from '../base/errors';
import { openEngine } from './engine';
import { createFakeEngine } from './testing/fake-engine';
import { createTestApp } from './testing/test-app';
import { compareWeights } from './weights-comparison';

/** An app whose engines draw the pictures that they are given, in turn. */
function open(...pictures: readonly Uint8Array<ArrayBuffer>[]) {
  const engines = pictures.map((picture) => {
    const engine = createFakeEngine();
    const sample: typeof engine.client.sample = (request, signal) => {
      const job = engine.client.sample(request, signal);
      const [drawn] = engine.drawn.slice(-1);
      const png = new Blob([picture]);
      drawn!.job.give({ kind: 'image-ready', image: 0, seed: request.seed, png });
      drawn!.job.end({ images: 1, secondsPerStep: 1 });
      return job;
    };
    return { ...engine, client: { ...engine.client, sample } };
  });
  const clients = engines.map(({ client }) => client);
  const { app } = createTestApp({ connectEngine: () => clients.shift()! });
  return { app, engines };
}

test('the same picture is drawn before and after the switch, and their difference told', async () => {
  const { app, engines } = open(Uint8Array.of(10, 20, 30, 255), Uint8Array.of(13, 20, 24, 255));
  await openEngine(app);
  await compareWeights(app, '8-bit');
  expect(app.comparison.getState()).toMatchObject({
    phase: 'done',
    from: 'original',
    to: '8-bit',
    difference: 3,
  });
  expect(app.engine.getState()).toMatchObject({ phase: 'ready', weights: '8-bit' });
  const [before, after] = engines.map(({ drawn }) => drawn[0]!.request);
  expect(before).toEqual(after);
  expect(before).toMatchObject({ seed: 1, steps: 8, subjectId: undefined, images: 1 });
});

test('a drawing that began meanwhile is not ended by the switch', async () => {
  const { app, engines } = open(Uint8Array.of(10, 20, 30, 255), Uint8Array.of(13, 20, 24, 255));
  await openEngine(app);
  const { weights } = app.engine.getState(); // kept by the test before
  const comparing = compareWeights(app, '4-bit');
  app.drawing.setState({ phase: 'running' } as never);
  await comparing;
  expect(app.comparison.getState()).toEqual({ phase: 'idle' });
  expect(app.engine.getState()).toMatchObject({ weights });
  expect(engines[1]!.opened).toEqual([]);
});

test('a failure is told', async () => {
  const { app, engines } = open(Uint8Array.of(10, 20, 30, 255));
  await openEngine(app);
  Object.assign(engines[0]!.client, {
    sample: async function* () {
      throw new AppError('out-of-memory', { what: 'sampling' });
    },
  });
  await compareWeights(app, '4-bit');
  expect(app.comparison.getState()).toMatchObject({ phase: 'failed', failure: { code: 'out-of-memory' } });
});
