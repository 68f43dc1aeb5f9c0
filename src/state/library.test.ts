import 'fake-indexeddb/auto';
import { beforeEach, expect, test } from 'vitest';
import { AppError } from '../base/errors';
import { removeModel, saveModel, type ModelRecord } from '../storage/models';
import { loadSetting, saveSetting } from '../storage/settings';
import { editForm } from './drawing';
import { bundledModelId, openEngine, switchModel } from './engine';
import {
  dismissModel,
  downloadModel,
  importModel,
  inspectModel,
  openHubToken,
  pauseModel,
  refreshLibrary,
  removeStoredModel,
  retryImport,
  setHubToken,
} from './library';
import { hasRoom, knownModels, modelRows, previewDecoderRow } from './library-state';
import { createFakeEngine, fakeModel } from './testing/fake-engine';
import { createFakeLibrary, fakeOffer, type FakeLibrary } from './testing/fake-library';
import { createTestApp, type TestApp } from './testing/test-app';

const { id, commit } = fakeOffer;
const record: ModelRecord = {
  version: 1,
  id,
  addedAt: 1,
  manifest: {
    version: 1,
    id,
    name: 'model',
    license: 'mit',
    files: [{ path: 'unet/config.json', sizeBytes: 1000, sha256: 'ab'.repeat(32) }],
    resolution: 512,
    sampling: { sampler: 'ddim', steps: 30, guidance: 7.5, guidanceRescale: 0 },
    training: {},
  },
  source: { kind: 'hub', commit, paths: {} },
};

let library: FakeLibrary;
let app: TestApp['app'];

beforeEach(async () => {
  await removeModel(id);
  library = createFakeLibrary();
  ({ app } = createTestApp({ library: library.client }));
});

const taskOf = (model = id) => app.library.getState().tasks[model];
const address = { id, revision: 'main' };

test('a model is offered with its cost, downloaded at that commit, and then here', async () => {
  await inspectModel(app, address);
  expect(library.inspected).toEqual([{ ...address, token: undefined }]);
  expect(taskOf()).toEqual({ phase: 'offered', offer: fakeOffer });
  const download = downloadModel(app, id);
  await expect.poll(() => library.downloads.length).toBe(1);
  expect(taskOf()).toMatchObject({ phase: 'downloading', loadedBytes: 0, totalBytes: 1000 });
  const { request, job } = library.downloads[0]!;
  expect(request).toEqual({ id, commit, token: undefined });
  job.give({ kind: 'download-progress', loadedBytes: 400, totalBytes: 1000 });
  await expect.poll(taskOf).toMatchObject({ loadedBytes: 400 });
  await saveModel(record);
  job.end();
  await download;
  expect(taskOf()).toBeUndefined();
  expect(app.library.getState().stored).toEqual([
    { record, sizeBytes: 1000, storedBytes: 0, isReady: false },
  ]);
});

test('a pause ends the download, and Continue asks for the same commit', async () => {
  await saveModel(record);
  await refreshLibrary(app);
  const first = downloadModel(app, id);
  await expect.poll(() => library.downloads.length).toBe(1);
  pauseModel(app, id);
  await first;
  expect(taskOf()).toBeUndefined();
  const second = downloadModel(app, id);
  await expect.poll(() => library.downloads.length).toBe(2);
  expect(library.downloads[1]!.request).toEqual({ id, commit, token: undefined });
  await removeStoredModel(app, id); // not while it is under way
  expect(app.library.getState().stored).toHaveLength(1);
  library.downloads[1]!.job.fail(new AppError('hub-busy', { model: id, status: 503 }));
  await second;
  expect(taskOf()).toMatchObject({ phase: 'failed', failure: { code: 'hub-busy' } });
  await removeStoredModel(app, id);
  expect([taskOf(), app.library.getState().stored]).toEqual([undefined, []]);
});

test('an import that failed for a passing reason is tried again with the same files', async () => {
  const files = [{ path: 'a.safetensors', file: new Blob(['x']) }];
  const first = importModel(app, 'a.safetensors', files);
  await expect.poll(() => library.imports.length).toBe(1);
  library.imports[0]!.job.fail(new AppError('hub-unreachable', { model: 'openai/clip' }));
  await first;
  expect(taskOf('a.safetensors')).toMatchObject({ phase: 'failed', failure: { code: 'hub-unreachable' } });
  const second = retryImport(app, 'a.safetensors');
  await expect.poll(() => library.imports.length).toBe(2);
  expect(library.imports[1]!.request.files).toBe(files);
  library.imports[1]!.job.fail(new AppError('bad-file', { file: 'a', reason: 'it is a picture' }));
  await second;
  await retryImport(app, 'a.safetensors'); // another try would say the same
  expect(library.imports).toHaveLength(2);
  expect(taskOf('a.safetensors')).toMatchObject({ phase: 'failed', failure: { code: 'bad-file' } });
});

test('a model that the hub spells otherwise has one line, and one that it lacks says so', async () => {
  await inspectModel(app, { id: 'Maker/Model', revision: 'main' });
  expect(Object.keys(app.library.getState().tasks)).toEqual([id]);
  await inspectModel(app, { id: 'maker/none', revision: 'main' });
  expect(taskOf('maker/none')).toMatchObject({ phase: 'failed', failure: { code: 'hub-missing' } });
  const ids = modelRows(app.library.getState()).map((row) => row.id);
  expect(ids).toEqual([id, 'maker/none', ...knownModels.map((known) => known.id)]);
  dismissModel(app, 'maker/none');
  expect(modelRows(app.library.getState())).toHaveLength(1 + knownModels.length);
});

test('the preview decoder has a line of its own, and none among the base models', async () => {
  expect(previewDecoderRow(app.library.getState())).toMatchObject({ task: undefined, stored: undefined });
  const decoder = previewDecoderRow(app.library.getState()).id;
  await inspectModel(app, { id: decoder, revision: 'main' });
  expect(previewDecoderRow(app.library.getState()).task?.phase).toBe('failed'); // this hub has none
  expect(modelRows(app.library.getState()).map((row) => row.id)).not.toContain(decoder);
  dismissModel(app, decoder);
});

test('room is what is still missing against what is free', () => {
  expect(hasRoom({ ...fakeOffer, freeBytes: 1000 })).toBe(true);
  expect(hasRoom({ ...fakeOffer, freeBytes: 999 })).toBe(false);
  expect(hasRoom({ ...fakeOffer, freeBytes: 100, storedBytes: 900 })).toBe(true);
  expect(hasRoom({ ...fakeOffer, freeBytes: undefined })).toBe(true);
});

test('the token goes with requests, and stays in the browser only when asked', async () => {
  setHubToken(app, ' hf_canary ', false);
  await inspectModel(app, address);
  expect(library.inspected[0]!.token).toBe('hf_canary');
  const { smallStorage } = app.services;
  const other = createTestApp({ smallStorage }).app;
  await openHubToken(other);
  expect(other.library.getState()).toMatchObject({ token: '', isTokenKept: false });
  setHubToken(app, 'hf_canary', true);
  await openHubToken(other);
  expect(other.library.getState()).toMatchObject({ token: 'hf_canary', isTokenKept: true });
  setHubToken(app, '', true);
  const last = createTestApp({ smallStorage }).app;
  await openHubToken(last);
  expect(last.library.getState().token).toBe('');
});

test('a model is used from now on and at the next start; one that cannot be loaded leaves the present one', async () => {
  const engine = createFakeEngine();
  const loaded: string[] = [];
  const connectEngine = () => ({
    ...engine.client,
    async *loadModel({ modelId }: { readonly modelId: string }) {
      loaded.push(modelId);
      yield { kind: 'stage-start', stage: 'prepare' } as const;
      if (modelId === 'maker/gone') throw new AppError('model-missing', { model: modelId });
      return { ...fakeModel, id: modelId };
    },
  });
  const { app } = createTestApp({ connectEngine });
  await openEngine(app);
  editForm(app, { prompt: 'a dog', steps: 50, sampler: 'euler', width: 512 });
  await switchModel(app, id);
  expect(app.engine.getState()).toMatchObject({ phase: 'ready', model: { id } });
  const asAdvised = { prompt: 'a dog', steps: undefined, sampler: undefined, width: undefined };
  expect(app.form.getState()).toMatchObject(asAdvised);
  editForm(app, { steps: 4 });
  await switchModel(app, 'maker/gone');
  expect(app.engine.getState()).toMatchObject({ phase: 'ready', model: { id } });
  expect(app.form.getState().steps).toBe(4); // nothing was switched
  expect(app.notice.getState()).toMatchObject({ code: 'model-missing' });
  expect(await loadSetting('lastModelId')).toBe(id);

  await openEngine(app);
  expect(app.engine.getState()).toMatchObject({ phase: 'ready', model: { id } });
  expect(loaded).toEqual([bundledModelId, id, 'maker/gone', id]);
});

test('a start whose last model is gone has the bundled one', async () => {
  const engine = createFakeEngine();
  const connectEngine = () => ({
    ...engine.client,
    async *loadModel({ modelId }: { readonly modelId: string }) {
      yield { kind: 'stage-start', stage: 'prepare' } as const;
      if (modelId !== bundledModelId) throw new AppError('model-missing', { model: modelId });
      return fakeModel;
    },
  });
  const { app } = createTestApp({ connectEngine });
  await saveSetting('lastModelId', 'maker/gone');
  await openEngine(app);
  expect(app.engine.getState()).toMatchObject({ phase: 'ready', model: { id: bundledModelId } });
  expect(app.notice.getState()).toMatchObject({ code: 'model-missing' });
  expect(await loadSetting('lastModelId')).toBe(bundledModelId);
});
