// A page without a page: real stores and storage (fake-indexeddb), a fake engine, a codec that tells photos by their bytes.
import { AppError } from '../../base/errors';
import type { PhotoInfo } from '../../engine/contract';
import { createKeyStorage } from '../../storage/openrouter-key';
import { createFakeKeyWindow } from '../../storage/testing/fake-key-window';
import { createApp, type App, type Services } from '../app';
import { openEngine } from '../engine';
import { openWorkspace } from '../workspace';
import { createFakeEngine, type FakeEngine } from './fake-engine';
import { createFakeLibrary } from './fake-library';

let count = 0;

/** Text files of one line: their text is their identity, and "broken" is no picture. */
async function preparePhoto({ file, name }: { file: Blob; name: string }): Promise<PhotoInfo> {
  const text = await file.text();
  if (text === 'broken') throw new AppError('bad-image', { file: name, reason: 'not-an-image' });
  return { id: `id of ${text}`, width: 640, height: 480, thumbnail: new Blob([`small ${text}`]) };
}

export type TestApp = { readonly app: App; readonly engine: FakeEngine };

/** An app whose services are fakes; `services` replaces some. */
export function createTestApp(
  services: Partial<Services> = {},
  engine: FakeEngine = createFakeEngine(),
): TestApp {
  const kept = new Map<string, string>();
  const app = createApp({
    connectEngine: () => engine.client,
    codec: { preparePhoto, checkPicture: async (request) => void (await preparePhoto(request)) },
    library: createFakeLibrary().client,
    keepAwake: (task) => task(),
    heldLocks: async () => [],
    readUrl: async (url) => {
      throw new AppError('file-missing', { file: url });
    },
    smallStorage: {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => kept.set(key, value),
      removeItem: (key) => kept.delete(key),
    },
    keyStorage: createKeyStorage(createFakeKeyWindow()),
    fetch: () => Promise.reject(new TypeError('no network in this test')),
    pageUrl: () => 'http://localhost:5173/',
    openTab: () => {},
    serviceWorkers: undefined,
    toJpeg: async (picture, longestSide) =>
      new Blob([`${await picture.text()} ≤ ${longestSide}`], { type: 'image/jpeg' }),
    levelsOf: async (picture) => new Uint8ClampedArray(await picture.arrayBuffer()),
    randomBytes: (length) => new Uint8Array(length).fill(++count),
    now: () => ++count,
    newId: () => `id${++count}`,
    newSeed: () => 7,
    ...services,
  });
  return { app, engine };
}

/** The same after the page has started. */
export async function startTestApp(
  services: Partial<Services> = {},
  engine: FakeEngine = createFakeEngine(),
): Promise<TestApp> {
  const started = createTestApp(services, engine);
  await openEngine(started.app);
  await openWorkspace(started.app);
  return started;
}

/** A file of the fake codec's kind. */
export const photoFile = (text: string) => ({ name: `${text}.jpg`, file: new Blob([text]) });
