import 'fake-indexeddb/auto';
import { afterEach, describe, expect, test } from 'vitest';
import { interceptPuts, quotaError, restorePuts } from './__fixtures__/intercept-puts';
import {
  deleteSnapshot,
  listCheckpoints,
  loadCheckpoint,
  saveCheckpoint,
  saveSnapshot,
  type Checkpoint,
} from './checkpoints';

afterEach(restorePuts);

function checkpointOf(runId: string, step: number): Checkpoint {
  const filled = (value: number, length = 5) => new Float32Array(length).fill(value);
  return {
    version: 1,
    runId,
    step,
    theta: filled(step),
    m: filled(step + 0.25),
    v: filled(step + 0.5),
    losses: Float32Array.from({ length: step }, (_, i) => 1 / (i + 1)),
    layout: { packs: [{ name: 'a', shape: [5] }] },
  };
}

describe('the checkpoint to resume from', () => {
  test('is the last one saved, whole', async () => {
    expect(await loadCheckpoint('a')).toBeUndefined();
    for (const step of [3, 6, 9]) {
      await saveCheckpoint(checkpointOf('a', step));
      expect(await loadCheckpoint('a')).toEqual(checkpointOf('a', step));
    }
    expect(await loadCheckpoint('b')).toBeUndefined();
  });

  // A save is two puts. The tab may be killed before either, and after the first in the middle of the second's transaction.
  test.each([1, 2])('stays whole when the tab is killed at put %i of any save', async (killedPut) => {
    const runId = `killed at ${killedPut}`;
    let last: Checkpoint | undefined;
    for (let step = 1; step <= 6; step++) {
      const isKilled = step % 2 === ((killedPut % 2) ^ (step > 3 ? 1 : 0)); // also twice in a row, also the very first
      interceptPuts((_, count) => {
        if (isKilled && count >= killedPut) throw new DOMException('killed', 'AbortError');
      });
      const saved = saveCheckpoint(checkpointOf(runId, step));
      if (isKilled) await expect(saved).rejects.toMatchObject({ code: 'storage-failed' });
      else {
        await saved;
        last = checkpointOf(runId, step);
      }
      restorePuts();
      expect(await loadCheckpoint(runId)).toEqual(last);
    }
    expect(last).toBeDefined();
  });

  test('stays whole when the transaction of the second put is rolled back', async () => {
    await saveCheckpoint(checkpointOf('rolled back', 1));
    interceptPuts((store, count, proceed) => {
      proceed();
      if (count === 2) store.transaction.abort();
    });
    await expect(saveCheckpoint(checkpointOf('rolled back', 2))).rejects.toMatchObject({
      code: 'storage-failed',
    });
    restorePuts();
    expect(await loadCheckpoint('rolled back')).toEqual(checkpointOf('rolled back', 1));
  });

  test('a full disk is named, and what was there stays', async () => {
    await saveCheckpoint(checkpointOf('full', 1));
    interceptPuts(() => {
      throw quotaError();
    });
    await expect(saveCheckpoint(checkpointOf('full', 2))).rejects.toMatchObject({ code: 'storage-full' });
    await expect(saveSnapshot(checkpointOf('full', 2))).rejects.toMatchObject({ code: 'storage-full' });
    restorePuts();
    expect(await loadCheckpoint('full')).toEqual(checkpointOf('full', 1));
    expect(await listCheckpoints('full')).toEqual([]);
  });
});

test('snapshots keep the weights of their steps, in order, until they are deleted', async () => {
  for (const [i, step] of [100, 25, 3].entries()) await saveSnapshot(checkpointOf('s', step), 1000 + i);
  await saveSnapshot(checkpointOf('other', 7));
  expect(await listCheckpoints('s')).toEqual([
    { step: 3, savedAt: 1002, sizeBytes: 20 },
    { step: 25, savedAt: 1001, sizeBytes: 20 },
    { step: 100, savedAt: 1000, sizeBytes: 20 },
  ]);
  const { version, runId, step, theta, layout } = checkpointOf('s', 25);
  expect(await loadCheckpoint('s', 25)).toEqual({ version, runId, step, theta, layout });
  expect(await loadCheckpoint('s')).toBeUndefined();
  await deleteSnapshot('s', 25);
  expect(await loadCheckpoint('s', 25)).toBeUndefined();
  expect((await listCheckpoints('s')).map((info) => info.step)).toEqual([3, 100]);
});

test('the weights of the step to resume from are there without a snapshot', async () => {
  await saveCheckpoint(checkpointOf('r', 8));
  const { version, runId, step, theta, layout } = checkpointOf('r', 8);
  expect(await loadCheckpoint('r', 8)).toEqual({ version, runId, step, theta, layout });
  expect(await loadCheckpoint('r', 7)).toBeUndefined();
});
