// A worker of models for tests of actions: answers an offer at once, and downloads by the test's hand.
import { AppError } from '../../base/errors';
import type { DownloadEvent, ModelOffer } from '../../engine/contract';
import type { LibraryClient } from '../library-client';
import { HandJob } from './fake-engine';

export const fakeOffer: ModelOffer = {
  id: 'maker/model',
  commit: 'c0'.repeat(20),
  license: 'mit',
  resolution: 512,
  isGated: false,
  sizeBytes: 1000,
  storedBytes: 0,
  freeBytes: 5000,
};

export type FakeLibrary = {
  readonly client: LibraryClient;
  readonly inspected: Parameters<LibraryClient['inspectModel']>[0][];
  readonly imports: {
    readonly request: Parameters<LibraryClient['importModel']>[0];
    readonly job: HandJob<DownloadEvent, string>;
  }[];
  readonly downloads: {
    readonly request: Parameters<LibraryClient['downloadModel']>[0];
    readonly job: HandJob<DownloadEvent, void>;
  }[];
};

/** A hub that has one model, and refuses every other as missing. */
export function createFakeLibrary(offer: ModelOffer = fakeOffer): FakeLibrary {
  const fake: FakeLibrary = {
    inspected: [],
    imports: [],
    downloads: [],
    client: {
      inspectModel: async (request) => {
        fake.inspected.push(request);
        if (request.id.toLowerCase() === offer.id) return offer;
        throw new AppError('hub-missing', { model: request.id });
      },
      importModel: (request, signal) => {
        const job = new HandJob<DownloadEvent, string>();
        fake.imports.push({ request, job });
        return job.run(signal);
      },
      downloadModel: (request, signal) => {
        const job = new HandJob<DownloadEvent, void>();
        fake.downloads.push({ request, job });
        return job.run(signal);
      },
    },
  };
  return fake;
}
