import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import { createMemoryDisk } from './__fixtures__/memory-directory';
import { saveMessage } from './chats';
import { loadCheckpoint, saveCheckpoint, saveSnapshot } from './checkpoints';
import { addGalleryImage } from './gallery';
import { putLatents } from './latents';
import { saveLora } from './loras';
import { addPreview } from './previews';
import { listRuns, saveRun } from './runs';
import { estimateStorage, removeKind, requestPersistence, storageUsage, type StoredKind } from './usage';

const blob = (size: number) => new Blob([new Uint8Array(size)]);
const floats = (length: number) => new Float32Array(length);

test('tells what is stored by kind, and removes one kind at a time', async () => {
  const disk = createMemoryDisk();
  disk.files.set('models/a', new Uint8Array(1000));
  const photo = {
    id: 'p',
    name: 'p',
    type: '',
    file: blob(100),
    width: 1,
    height: 1,
    caption: '',
    thumbnail: blob(10),
  };
  await saveRun({
    version: 1,
    id: 'a',
    name: 'a',
    createdAt: 1,
    updatedAt: 1,
    modelId: 'm',
    subjectWord: 's',
    className: 'c',
    photos: [photo, { ...photo, id: 'q' }],
    settings: {},
    state: 'draft',
    step: 0,
  });
  await addPreview('a', 1, blob(5));
  const checkpoint = {
    version: 1,
    runId: 'a',
    step: 1,
    layout: null,
    theta: floats(10),
    m: floats(10),
    v: floats(10),
    losses: floats(1),
  } as const;
  for (let i = 0; i < 3; i++) await saveCheckpoint(checkpoint);
  await saveSnapshot(checkpoint);
  await putLatents('k', { shape: [8], data: floats(8) });
  await addGalleryImage({ version: 1, id: 'g', createdAt: 1, png: blob(7), prompt: '', request: null });
  await saveLora({ version: 1, id: 'l', name: '', modelId: '', fileName: '', file: blob(9), importedAt: 1 });
  await saveMessage({
    version: 2,
    id: 'c',
    createdAt: 1,
    role: 'user',
    text: 'hi',
    imageIds: [],
    attachments: [blob(11)],
    answer: null,
  });

  const full = {
    subjects: [1, 225],
    checkpoints: [2, 124 + 40],
    latents: [1, 32],
    gallery: [1, 7],
    loras: [1, 9],
    chats: [1, 11],
    models: [1, 1000],
  };
  const measure = async () =>
    Object.fromEntries((await storageUsage(disk.root)).map((use) => [use.kind, [use.items, use.sizeBytes]]));
  expect(await measure()).toEqual(full);

  const left: Record<string, number[]> = { ...full };
  for (const kind of [
    'checkpoints',
    'latents',
    'gallery',
    'loras',
    'chats',
    'models',
  ] satisfies StoredKind[]) {
    await removeKind(kind, disk.root);
    left[kind] = [0, 0];
    expect(await measure()).toEqual(left);
  }
  expect(await listRuns()).toHaveLength(1);
  await saveCheckpoint(checkpoint);
  await removeKind('subjects', disk.root);
  expect(await listRuns()).toEqual([]);
  expect(await loadCheckpoint('a')).toBeUndefined();
});

test('gives the browser’s own figures', async () => {
  const storage = {
    estimate: async () => ({ usage: 5, quota: 100 }),
    persisted: async () => false,
    persist: async () => true,
  };
  expect(await estimateStorage(storage)).toEqual({ usedBytes: 5, quotaBytes: 100, isPersistent: false });
  expect(await requestPersistence(storage)).toBe(true);
  expect([await estimateStorage(undefined), await requestPersistence(undefined)]).toEqual([undefined, false]);
});
