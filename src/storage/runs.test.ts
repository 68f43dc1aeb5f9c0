import 'fake-indexeddb/auto';
import { afterEach, expect, test } from 'vitest';
import { interceptPuts, quotaError, restorePuts } from './__fixtures__/intercept-puts';
import { listCheckpoints, loadCheckpoint, saveCheckpoint, saveSnapshot } from './checkpoints';
import { storeOf } from './database';
import { getLatents, putLatents } from './latents';
import { addPreview, listPreviews } from './previews';
import { deleteRun, listRuns, loadRun, renameRun, saveRun, updateRun, type Photo, type Run } from './runs';

afterEach(async () => {
  restorePuts();
  for (const { id } of await listRuns()) await deleteRun(id);
});

const photoOf = (id: string, caption = `a photo of ${id}`): Photo => ({
  id,
  name: `${id}.jpg`,
  type: 'image/jpeg',
  file: new Blob([`file of ${id}`], { type: 'image/jpeg' }),
  width: 640,
  height: 480,
  caption,
  thumbnail: new Blob([`thumbnail of ${id}`]),
});

const runOf = (id: string, createdAt = 1): Run => ({
  version: 1,
  id,
  name: `subject ${id}`,
  createdAt,
  updatedAt: createdAt,
  modelId: 'bundled',
  subjectWord: 'sks',
  className: 'dog',
  photos: [photoOf('z'), photoOf('a')],
  settings: { steps: 400, learningRate: 1e-3, flip: true, lrScheduler: 'constant' },
  state: 'draft',
  step: 0,
});

test('a run comes back with its photos, their bytes and their order', async () => {
  await saveRun(runOf('a'));
  const run = (await loadRun('a'))!;
  expect(run).toEqual(runOf('a'));
  expect(await run.photos[0]!.file.text()).toBe('file of z');
  expect(run.photos[0]!.file.type).toBe('image/jpeg');
  expect(await run.photos[1]!.thumbnail.text()).toBe('thumbnail of a');
  expect(await loadRun('b')).toBeUndefined();
});

test('runs are listed newest first, and one that cannot be read does not hide the others', async () => {
  for (const [id, createdAt] of [
    ['a', 5],
    ['b', 9],
    ['c', 7],
  ] as const)
    await saveRun(runOf(id, createdAt));
  await storeOf('runs')('readwrite', (store) => store.put({ version: 99 }, 'd'));
  expect((await listRuns()).map(({ id }) => id)).toEqual(['b', 'c', 'a']);
  await expect(loadRun('d')).rejects.toMatchObject({ code: 'storage-failed', details: { what: 'run' } });
});

test('an update changes what it names and the time, and touches no photo', async () => {
  await saveRun(runOf('a'));
  const written: unknown[] = [];
  interceptPuts((store) => written.push(store.name));
  await updateRun('a', { state: 'running', step: 12 }, 50);
  await renameRun('a', 'Rex', 60);
  expect(written).toEqual(['runs', 'runs']);
  expect(await loadRun('a')).toEqual({
    ...runOf('a'),
    state: 'running',
    step: 12,
    name: 'Rex',
    updatedAt: 60,
  });
});

test('an update of the photos replaces them all', async () => {
  await saveRun(runOf('a'));
  const photos = [photoOf('q'), photoOf('z', 'another caption')];
  await updateRun('a', { photos, className: 'cat' }, 50);
  expect(await loadRun('a')).toEqual({ ...runOf('a'), photos, className: 'cat', updatedAt: 50 });
});

test('an update that fails half-way leaves the run as it was', async () => {
  await saveRun(runOf('a'));
  interceptPuts((store) => {
    if (store.name === 'photos') throw quotaError();
  });
  await expect(updateRun('a', { photos: [photoOf('q')], step: 3 })).rejects.toMatchObject({
    code: 'storage-full',
  });
  await expect(saveRun(runOf('b'))).rejects.toMatchObject({ code: 'storage-full' });
  restorePuts();
  expect(await loadRun('a')).toEqual(runOf('a'));
  expect(await loadRun('b')).toBeUndefined();
});

test('a run that is not there cannot be changed', async () => {
  const failure = { code: 'storage-failed', details: { what: 'run', reason: 'there is no such run' } };
  await expect(updateRun('none', { step: 1 })).rejects.toMatchObject(failure);
  await expect(updateRun('none', { photos: [] })).rejects.toMatchObject(failure);
});

test('deleting a run removes what belongs to it and nothing else', async () => {
  const data = Float32Array.of(1, 2);
  for (const runId of ['a', 'ab']) {
    await saveRun(runOf(runId));
    const checkpoint = {
      version: 1,
      runId,
      step: 2,
      theta: data,
      m: data,
      v: data,
      losses: data,
      layout: [],
    } as const;
    await saveCheckpoint(checkpoint);
    await saveSnapshot(checkpoint);
    await addPreview(runId, 2, new Blob(['picture']));
    await putLatents(`${runId}/photo`, { shape: [2], data });
  }
  await putLatents('class/bundled/dog', { shape: [1, 2], data });
  await deleteRun('a');
  const left = async (runId: string) => [
    await loadRun(runId),
    await loadCheckpoint(runId),
    ...(await listCheckpoints(runId)),
    ...(await listPreviews(runId)),
    await getLatents(`${runId}/photo`),
  ];
  expect(await left('a')).toEqual([undefined, undefined, undefined]);
  expect((await left('ab')).filter((x) => x !== undefined)).toHaveLength(5);
  expect(await getLatents('class/bundled/dog')).toEqual({ shape: [1, 2], data });
});
