import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import { readFile } from 'node:fs/promises';
import { loadRun } from '../storage/runs';
import { adviceOf } from './obstacle';
import { addPhotos, removePhoto, setCaption, trySample } from './photos';
import { createTestApp, photoFile, startTestApp } from './testing/test-app';
import { newSubject, openWorkspace, savedWorkspace, setSetting, setWords } from './workspace';

async function freshDraft(services: Parameters<typeof startTestApp>[0] = {}) {
  const started = await startTestApp(services);
  await newSubject(started.app);
  return started;
}

test('adds what can be used and tells the rest by file', async () => {
  const { app } = await freshDraft();
  setWords(app, { className: 'dog' });
  await addPhotos(app, [
    photoFile('a'),
    photoFile('broken'),
    photoFile('b'),
    { ...photoFile('a'), name: 'again.jpg' },
  ]);
  const { run, problems, readingPhotos } = app.workspace.getState();
  expect(run.photos.map(({ name, caption }) => [name, caption])).toEqual([
    ['a.jpg', 'a photo of sks dog'],
    ['b.jpg', 'a photo of sks dog'],
  ]);
  expect(problems).toMatchObject([
    { kind: 'failure', file: 'broken.jpg', failure: { code: 'bad-image' } },
    { kind: 'duplicate', file: 'again.jpg', of: 'a.jpg' },
  ]);
  expect(readingPhotos).toBe(0);
});

test('captions follow the words until they are edited', async () => {
  const { app } = await freshDraft();
  await addPhotos(app, [photoFile('a'), photoFile('b')]);
  setCaption(app, 'id of b', 'my own words');
  setWords(app, { subjectWord: 'zwx', className: 'cat' });
  expect(app.workspace.getState().run.photos.map(({ caption }) => caption)).toEqual([
    'a photo of zwx cat',
    'my own words',
  ]);
});

test('takes a hundred photos and says no to the next', async () => {
  const { app } = await freshDraft();
  await addPhotos(
    app,
    Array.from({ length: 102 }, (_, i) => photoFile(`p${i}`)),
  );
  const { run, problems } = app.workspace.getState();
  expect(run.photos).toHaveLength(100);
  expect(problems.map(({ kind, file }) => [kind, file])).toEqual([
    ['too-many', 'p100.jpg'],
    ['too-many', 'p101.jpg'],
  ]);
});

test('advises on one photo, on many, and on captions without the word', async () => {
  const { app } = await freshDraft();
  await addPhotos(app, [photoFile('a')]);
  expect(adviceOf(app.workspace.getState())).toEqual([{ kind: 'one-photo' }]);
  await addPhotos(
    app,
    Array.from({ length: 59 }, (_, i) => photoFile(`p${i}`)),
  );
  setCaption(app, 'id of a', 'a dog');
  expect(adviceOf(app.workspace.getState())).toEqual([
    { kind: 'many-photos', count: 60 },
    { kind: 'captions-without-word', count: 1, word: 'sks' },
  ]);
});

test('the draft comes back as it was', async () => {
  const { app } = await freshDraft();
  await addPhotos(app, [photoFile('x'), photoFile('y'), photoFile('z')]);
  setWords(app, { subjectWord: 'rex', className: 'dog' });
  setCaption(app, 'id of y', 'rex asleep');
  removePhoto(app, 'id of x');
  setSetting(app, 'steps', 77);
  await savedWorkspace(app);

  const { app: reopened } = createTestApp();
  await openWorkspace(reopened);
  const { run } = reopened.workspace.getState();
  expect(run).toMatchObject({ state: 'draft', subjectWord: 'rex', className: 'dog' });
  expect(run.settings?.steps).toBe(77);
  expect(run.photos.map(({ id, caption }) => [id, caption])).toEqual([
    ['id of y', 'rex asleep'],
    ['id of z', 'a photo of rex dog'],
  ]);
  expect(await run.photos[0]!.file.text()).toBe('y');
});

test('nothing is stored before the first change', async () => {
  const { app } = await freshDraft();
  const { id } = app.workspace.getState().run;
  await savedWorkspace(app);
  expect(await loadRun(id)).toBeUndefined();
  setWords(app, { className: 'cup' });
  await savedWorkspace(app);
  expect(await loadRun(app.workspace.getState().run.id)).toMatchObject({ className: 'cup', state: 'draft' });
});

test('the sample subject of the page fills the draft', async () => {
  const folder = new URL('../../public/', import.meta.url);
  const { app } = await freshDraft({
    readUrl: async (url) => new Blob([await readFile(new URL(url, folder))]),
  });
  await trySample(app);
  const { run } = app.workspace.getState();
  expect(run).toMatchObject({ name: 'Pomlo', subjectWord: 'sks', className: 'toy' });
  expect(run.photos.map(({ name, caption }) => [name, caption.includes('sks toy')])).toEqual(
    [1, 2, 3, 4, 5, 6].map((i) => [`${i}.webp`, true]),
  );
});

test('a sample that is missing on the server is a notice', async () => {
  const { app } = await freshDraft();
  await trySample(app);
  expect(app.notice.getState()).toMatchObject({
    code: 'file-missing',
    details: { file: 'samples/toy/sample.json' },
  });
});
