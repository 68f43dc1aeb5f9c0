// The small stores: what is put comes back, in order, and is checked.
import 'fake-indexeddb/auto';
import { set } from 'idb-keyval';
import { expect, test } from 'vitest';
import { clearMessages, deleteMessages, listMessages, saveMessage, type ChatMessage } from './chats';
import { storeOf } from './database';
import { addGalleryImage, deleteGalleryImage, listGalleryImages, loadGalleryImage } from './gallery';
import { getLatents, putLatents } from './latents';
import { deleteLora, listLoras, loadLora, renameLora, saveLora, type ImportedLora } from './loras';
import { addPreview, listPreviews } from './previews';
import { loadSetting, saveSetting } from './settings';

test('previews: one per step, in the order of the steps', async () => {
  for (const [step, text] of [
    [100, 'c'],
    [25, 'a'],
    [50, 'b'],
    [25, 'a2'],
  ] as const) {
    await addPreview('run', step, new Blob([text]));
  }
  await addPreview('run2', 1, new Blob(['x']));
  const previews = await listPreviews('run');
  const texts = await Promise.all(previews.map(async ({ step, image }) => [step, await image.text()]));
  expect(texts).toEqual([
    [25, 'a2'],
    [50, 'b'],
    [100, 'c'],
  ]);
});

test('latents: numbers with their shape, refused where the two differ', async () => {
  const latents = { shape: [1, 2, 2], data: Float32Array.of(1, -2, 3.5, 1e-8) };
  await putLatents('key', latents);
  expect(await getLatents('key')).toEqual(latents);
  expect(await getLatents('other')).toBeUndefined();
  await expect(putLatents('bad', { ...latents, shape: [5] })).rejects.toMatchObject({
    code: 'storage-failed',
  });
});

test('LoRA files: kept as they were, renamed, removed', async () => {
  const loraOf = (id: string, importedAt: number): ImportedLora => ({
    version: 1,
    id,
    name: id,
    modelId: 'bundled',
    fileName: `${id}.safetensors`,
    file: new Blob([id]),
    importedAt,
  });
  await saveLora(loraOf('a', 1));
  await saveLora(loraOf('b', 2));
  await renameLora('a', 'Rex');
  expect(await listLoras()).toEqual([loraOf('b', 2), { ...loraOf('a', 1), name: 'Rex' }]);
  expect(await (await loadLora('b'))!.file.text()).toBe('b');
  await deleteLora('b');
  expect(await loadLora('b')).toBeUndefined();
  await expect(renameLora('b', 'x')).rejects.toMatchObject({ code: 'storage-failed' });
  await set('broken', { version: 1, id: 'broken' }, storeOf('loras'));
  await expect(loadLora('broken')).rejects.toMatchObject({ code: 'storage-failed' });
  expect(await listLoras()).toHaveLength(1);
});

test('gallery: newest first', async () => {
  const imageOf = (id: string, createdAt: number) => ({
    version: 1 as const,
    id,
    createdAt,
    png: new Blob([id]),
    prompt: `a ${id}`,
    request: { seed: 4, size: [64, 64], subject: null },
  });
  for (const [id, createdAt] of [
    ['a', 5],
    ['b', 9],
    ['c', 7],
  ] as const)
    await addGalleryImage(imageOf(id, createdAt));
  await deleteGalleryImage('c');
  expect(await listGalleryImages()).toEqual([imageOf('b', 9), imageOf('a', 5)]);
  expect(await loadGalleryImage('a')).toEqual(imageOf('a', 5));
  expect(await loadGalleryImage('c')).toBeUndefined();
});

test('chat: oldest first, one replaced, one removed, all cleared', async () => {
  const messageOf = (id: string, createdAt: number, text = id): ChatMessage => ({
    version: 2,
    id,
    createdAt,
    role: 'user',
    text,
    imageIds: ['image'],
    attachments: [],
    answer: null,
  });
  for (const [id, createdAt] of [
    ['b', 3],
    ['a', 5],
    ['c', 1],
  ] as const)
    await saveMessage(messageOf(id, createdAt));
  await saveMessage(messageOf('b', 3, 'edited'));
  await deleteMessages(['c']);
  expect(await listMessages()).toEqual([messageOf('b', 3, 'edited'), messageOf('a', 5)]);
  await clearMessages();
  expect(await listMessages()).toEqual([]);
});

test('chat: a message of the first version is brought to the newest', async () => {
  const old = { version: 1, id: 'old', createdAt: 1, role: 'user', text: 'hi', imageIds: [], details: null };
  await set('old', old, storeOf('chats'));
  expect(await listMessages()).toEqual([
    {
      version: 2,
      id: 'old',
      createdAt: 1,
      role: 'user',
      text: 'hi',
      imageIds: [],
      attachments: [],
      answer: null,
    },
  ]);
  await clearMessages();
});

test('settings: typed by name; what is not understood counts as none', async () => {
  expect(await loadSetting('compute')).toBeUndefined();
  await saveSetting('compute', 'wasm');
  await saveSetting('secondsPerStep', { 'wasm bundled 64': 0.25 });
  expect(await loadSetting('compute')).toBe('wasm');
  expect(await loadSetting('secondsPerStep')).toEqual({ 'wasm bundled 64': 0.25 });
  await set('compute', { version: 1, value: 'abacus' }, storeOf('settings'));
  expect(await loadSetting('compute')).toBeUndefined();
});
