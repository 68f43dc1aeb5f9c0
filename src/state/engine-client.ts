// The engine as the page calls it: the contract's methods, raced against the worker's death. Long calls are jobs.
import { wrap, type Endpoint } from 'comlink';
import { AppError } from '../base/errors';
import { follow, type Emit, type Job } from '../base/job';
import '../base/wire';
import type { CodecApi, EngineApi, PhotoInfo } from '../engine/contract';

type RequestOf<Method extends keyof EngineApi> = Parameters<EngineApi[Method]>[0];
type ResultOf<Method extends keyof EngineApi> = Awaited<ReturnType<EngineApi[Method]>>;
type EventOf<Method extends keyof EngineApi> =
  Parameters<EngineApi[Method]>[1] extends Emit<infer E> ? E : never;

type Call<Method extends keyof EngineApi> = (
  request: RequestOf<Method>,
  signal?: AbortSignal,
) => Promise<ResultOf<Method>>;
type StartJob<Method extends keyof EngineApi> = (
  request: RequestOf<Method>,
  signal: AbortSignal,
) => Job<EventOf<Method>, ResultOf<Method>>;

export type EngineClient = {
  readonly open: Call<'open'>;
  readonly loadModel: StartJob<'loadModel'>;
  readonly estimate: Call<'estimate'>;
  readonly train: StartJob<'train'>;
  readonly sample: StartJob<'sample'>;
  readonly exportLora: Call<'exportLora'>;
  readonly importLora: Call<'importLora'>;
  readonly memory: Call<'memory'>;
  /** Rejects with AppError('engine-failed') when the worker is gone; never resolves. */
  readonly died: Promise<never>;
  /** Ends the worker; calls under way reject. */
  readonly close: () => void;
};

export type CodecClient = {
  readonly preparePhoto: (request: { readonly file: Blob; readonly name: string }) => Promise<PhotoInfo>;
  readonly checkPicture: (request: { readonly file: Blob; readonly name: string }) => Promise<void>;
};

/** Where a worker is reached, how its death is told, and how it is ended. */
export type Link = {
  readonly endpoint: Endpoint;
  readonly died: Promise<never>;
  readonly terminate: () => void;
};

/** The client of an engine at `link`. */
export function createEngineClient(link: Link): EngineClient {
  const remote = wrap<EngineApi>(link.endpoint);
  let tellClosed: (reason: unknown) => void = () => {};
  const closed = new Promise<never>((_, reject) => (tellClosed = reject));
  const died = Promise.race([link.died, closed]);
  died.catch(() => {}); // told to every call under way
  const race = <T>(call: Promise<T>): Promise<T> => Promise.race([call, died]);
  return {
    open: (request, signal) => settle((emit, stop) => race(remote.open(request, emit, stop)), signal),
    loadModel: (request, signal) =>
      follow((emit, stop) => race(remote.loadModel(request, emit, stop)), signal),
    estimate: (request, signal) => settle((emit, stop) => race(remote.estimate(request, emit, stop)), signal),
    train: (request, signal) => follow((emit, stop) => race(remote.train(request, emit, stop)), signal),
    sample: (request, signal) => follow((emit, stop) => race(remote.sample(request, emit, stop)), signal),
    exportLora: (request, signal) =>
      settle((emit, stop) => race(remote.exportLora(request, emit, stop)), signal),
    importLora: (request, signal) =>
      settle((emit, stop) => race(remote.importLora(request, emit, stop)), signal),
    memory: (request, signal) => settle((emit, stop) => race(remote.memory(request, emit, stop)), signal),
    died,
    close: () => {
      tellClosed(new AppError('engine-failed', { reason: 'the engine was closed' }));
      link.terminate();
    },
  };
}

/** The client of the photo worker at `link`. */
export function createCodecClient(link: Link): CodecClient {
  const remote = wrap<CodecApi>(link.endpoint);
  return {
    preparePhoto: (request) =>
      settle((emit, stop) => Promise.race([remote.preparePhoto(request, emit, stop), link.died])),
    checkPicture: (request) =>
      settle((emit, stop) => Promise.race([remote.checkPicture(request, emit, stop), link.died])),
  };
}

/** A job without events, to its result. */
export async function settle<Result>(
  start: (emit: Emit<never>, signal: AbortSignal) => Promise<Result>,
  signal: AbortSignal = new AbortController().signal,
): Promise<Result> {
  const job = follow<never, Result>(start, signal);
  for (;;) {
    const step = await job.next();
    if (step.done) return step.value;
  }
}
