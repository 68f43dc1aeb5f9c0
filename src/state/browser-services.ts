// The browser, as the actions need it.
import { AppError } from '../base/errors';
import { createKeyStorage } from '../storage/openrouter-key';
import type { Services } from './app';
import { watchDeath } from './connect-worker';
import { createCodecClient, createEngineClient, type CodecClient, type Link } from './engine-client';
import { keepAwake } from './keep-awake';

/** How the workers are started: the bundler must see their addresses, so main.tsx makes them. */
export type Workers = { readonly engine: () => Worker; readonly codec: () => Worker };

/** The services of a real page. The photo worker starts with the first photo, and again after it died. */
export function browserServices({ engine, codec }: Workers): Services {
  let codecClient: CodecClient | undefined;
  const openCodec = (): CodecClient => {
    const link = linkOf(codec());
    void link.died.catch(() => {
      link.terminate();
      codecClient = undefined;
    });
    return createCodecClient(link);
  };
  return {
    connectEngine: () => createEngineClient(linkOf(engine())),
    codec: { preparePhoto: (request) => (codecClient ??= openCodec()).preparePhoto(request) },
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
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    now: () => Date.now(),
    newId: () => crypto.randomUUID(),
    newSeed: () => crypto.getRandomValues(new Uint32Array(1))[0]!,
  };
}

function linkOf(worker: Worker): Link {
  return { endpoint: worker, died: watchDeath(worker), terminate: () => worker.terminate() };
}

async function readUrl(url: string): Promise<Blob> {
  const file = url.slice(0, 80);
  const response = await fetch(url).catch((cause: unknown) => {
    throw new AppError('download-failed', { file }, cause);
  });
  if (!response.ok) throw new AppError('file-missing', { file, status: response.status });
  return response.blob();
}
