// The browser, as the actions need it.
import { AppError } from '../base/errors';
import { createKeyStorage } from '../storage/openrouter-key';
import type { Services } from './app';
import { watchDeath } from './connect-worker';
import { createCodecClient, createEngineClient, type Link } from './engine-client';
import { keepAwake } from './keep-awake';
import { createLibraryClient } from './library-client';

/** How the workers are started: the bundler must see their addresses, so main.tsx makes them. */
export type Workers = {
  readonly engine: () => Worker;
  readonly codec: () => Worker;
  readonly library: () => Worker;
};

/** The services of a real page. */
export function browserServices({ engine, codec, library }: Workers): Services {
  const photos = reopening(codec, createCodecClient);
  const models = reopening(library, createLibraryClient);
  return {
    connectEngine: () => createEngineClient(linkOf(engine())),
    codec: {
      preparePhoto: (request) => photos().preparePhoto(request),
      checkPicture: (request) => photos().checkPicture(request),
    },
    library: {
      inspectModel: (request, signal) => models().inspectModel(request, signal),
      downloadModel: (request, signal) => models().downloadModel(request, signal),
      importModel: (request, signal) => models().importModel(request, signal),
    },
    keepAwake: (task) => keepAwake(task, document, navigator.wakeLock as WakeLock | undefined),
    heldLocks: async () => {
      const locks = navigator.locks as LockManager | undefined; // absent outside secure contexts
      const { held = [] } = (await locks?.query()) ?? {};
      return held.flatMap(({ name }) => name ?? []);
    },
    readUrl,
    smallStorage: localStorage,
    keyStorage: createKeyStorage(window),
    fetch: (...request) => fetch(...request),
    pageUrl: () => document.baseURI,
    openTab: (url) => void window.open(url, '_blank', 'noopener'),
    serviceWorkers: navigator.serviceWorker,
    toJpeg,
    levelsOf,
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    now: () => Date.now(),
    newId: () => crypto.randomUUID(),
    newSeed: () => crypto.getRandomValues(new Uint32Array(1))[0]!,
  };
}

/** The client of a worker that starts with the first call, and again after it died. */
function reopening<Client>(start: () => Worker, connect: (link: Link) => Client): () => Client {
  let client: Client | undefined;
  const open = (): Client => {
    const link = linkOf(start());
    void link.died.catch(() => {
      link.terminate();
      client = undefined;
    });
    return connect(link);
  };
  return () => (client ??= open());
}

function linkOf(worker: Worker): Link {
  return { endpoint: worker, died: watchDeath(worker), terminate: () => worker.terminate() };
}

async function toJpeg(picture: Blob, longestSide: number): Promise<Blob> {
  const bitmap = await decode(picture);
  const scale = Math.min(1, longestSide / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [Math.round(bitmap.width * scale), Math.round(bitmap.height * scale)];
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d')!;
  context.fillStyle = 'white'; // JPEG has no transparency
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return canvas.convertToBlob({ type: 'image/jpeg', quality: 0.9 });
}

async function levelsOf(picture: Blob): Promise<Uint8ClampedArray> {
  const bitmap = await decode(picture);
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d')!;
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, width, height).data;
}

const decode = (picture: Blob): Promise<ImageBitmap> =>
  createImageBitmap(picture, { imageOrientation: 'from-image' }).catch((cause: unknown) => {
    const file = picture instanceof File ? picture.name : 'picture';
    throw new AppError('bad-image', { file, reason: 'undecodable' }, cause);
  });

async function readUrl(url: string): Promise<Blob> {
  const file = url.slice(0, 80);
  const response = await fetch(url).catch((cause: unknown) => {
    throw new AppError('download-failed', { file }, cause);
  });
  if (!response.ok) throw new AppError('file-missing', { file, status: response.status });
  return response.blob();
}
