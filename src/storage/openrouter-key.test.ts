import { expect, test } from 'vitest';
import { createKeyStorage } from './openrouter-key';
import { createFakeKeyWindow } from './testing/fake-key-window';

const kept = { key: 'sk-or-v1-canary', label: 'sk-or-v1-can...ary' };

test('a key is kept at one place: nowhere, in the session, or in the browser', async () => {
  const view = createFakeKeyWindow();
  const other = view.openTab();
  const storage = createKeyStorage(view);
  const lengths = () => [view.sessionStorage.length, view.localStorage.length];
  await storage.save('session', kept);
  expect([await storage.load(), lengths()]).toEqual([{ place: 'session', kept }, [1, 0]]);
  expect(await createKeyStorage(other).load()).toBeUndefined();
  await storage.save('browser', { ...kept, label: undefined });
  expect([await storage.load(), lengths()]).toEqual([
    { place: 'browser', kept: { ...kept, label: undefined } },
    [0, 1],
  ]);
  expect((await createKeyStorage(other).load())?.place).toBe('browser');
  await storage.save('tab', kept);
  expect([await storage.load(), lengths()]).toEqual([undefined, [0, 0]]);
  await storage.save('browser', kept);
  await storage.remove();
  expect(lengths()).toEqual([0, 0]);
});

test('what cannot be read counts as no key', async () => {
  const view = createFakeKeyWindow();
  for (const text of ['{', '{"version":2,"key":"sk-or-v1-a"}', '"sk-or-v1-a"']) {
    view.localStorage.setItem('likeness-openrouter-key', text);
    expect(await createKeyStorage(view).load()).toBeUndefined();
  }
});

test('another tab hears of the browser’s key, and of no other record', async () => {
  const view = createFakeKeyWindow();
  const other = view.openTab();
  let heard = 0;
  createKeyStorage(other).watch(() => heard++);
  view.localStorage.setItem('likeness-form', '{}');
  expect(heard).toBe(0);
  await createKeyStorage(view).save('browser', kept);
  expect(heard).toBe(1);
  view.localStorage.clear();
  expect(heard).toBe(2);
});

test('a storage that refuses is told by its code', async () => {
  const view = createFakeKeyWindow();
  const full = () => {
    throw new DOMException('full', 'QuotaExceededError');
  };
  const storage = createKeyStorage({
    ...view,
    localStorage: Object.assign(view.localStorage, { setItem: full }),
  });
  await expect(storage.save('browser', kept)).rejects.toMatchObject({ code: 'storage-full' });
  const closed = { ...view };
  Object.defineProperty(closed, 'sessionStorage', {
    get: () => {
      throw new DOMException('denied', 'SecurityError');
    },
  });
  await expect(createKeyStorage(closed).load()).rejects.toMatchObject({ code: 'storage-failed' });
});
