// The worker that brings models in, as the page calls it.
import { wrap } from 'comlink';
import { follow, type Job } from '../base/job';
import '../base/wire';
import type { DownloadEvent, LibraryApi, ModelOffer } from '../engine/contract';
import { settle, type Link } from './engine-client';

type Request<Method extends keyof LibraryApi> = Parameters<LibraryApi[Method]>[0];

export type LibraryClient = {
  readonly inspectModel: (request: Request<'inspectModel'>, signal: AbortSignal) => Promise<ModelOffer>;
  readonly importModel: (request: Request<'importModel'>, signal: AbortSignal) => Job<DownloadEvent, string>;
  readonly downloadModel: (
    request: Request<'downloadModel'>,
    signal: AbortSignal,
  ) => Job<DownloadEvent, void>;
};

/** The client of the worker at `link`. */
export function createLibraryClient(link: Link): LibraryClient {
  const remote = wrap<LibraryApi>(link.endpoint);
  const race = <T>(call: Promise<T>): Promise<T> => Promise.race([call, link.died]);
  return {
    inspectModel: (request, signal) =>
      settle((emit, stop) => race(remote.inspectModel(request, emit, stop)), signal),
    importModel: (request, signal) =>
      follow((emit, stop) => race(remote.importModel(request, emit, stop)), signal),
    downloadModel: (request, signal) =>
      follow((emit, stop) => race(remote.downloadModel(request, emit, stop)), signal),
  };
}
