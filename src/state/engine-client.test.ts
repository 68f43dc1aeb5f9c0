// The bridge over a real MessageChannel: results, events, aborts, failures and death.
import { expose } from 'comlink';
import { afterEach, expect, test } from 'vitest';
import { AppError, isAbort } from '../base/errors';
import type { CodecApi, EngineApi, TrainingEvent } from '../engine/contract';
import { createCodecClient, createEngineClient } from './engine-client';
import { watchDeath } from './connect-worker';
import { fakeInfo } from './testing/fake-engine';

const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

function connect(api: object, died: Promise<never> = new Promise(() => {})) {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  expose(api, port1);
  let terminated = 0;
  return {
    link: { endpoint: port2, died, terminate: () => void terminated++ },
    terminated: () => terminated,
  };
}

test('brings the events of a job in order, then its result', async () => {
  const train: EngineApi['train'] = async ({ runId }, emit) => {
    for (let step = 1; step <= 20; step++) await emit({ kind: 'checkpoint-saved', step });
    return { step: 20, steps: runId.length };
  };
  const client = createEngineClient(connect({ train }).link);
  const job = client.train({ runId: 'abc' }, new AbortController().signal);
  const steps: number[] = [];
  let next = await job.next();
  for (; !next.done; next = await job.next()) if ('step' in next.value) steps.push(next.value.step);
  expect(steps).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  expect(next.value).toEqual({ step: 20, steps: 3 });
});

test('an aborted job ends with what the engine still says, then AbortError', async () => {
  const train: EngineApi['train'] = async (_, emit, signal) => {
    while (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, 1));
    await emit({ kind: 'checkpoint-saved', step: 3 });
    signal.throwIfAborted();
    throw new Error('not aborted');
  };
  const client = createEngineClient(connect({ train }).link);
  const controller = new AbortController();
  const events: TrainingEvent[] = [];
  const run = async () => {
    for await (const event of client.train({ runId: 'a' }, controller.signal)) events.push(event);
  };
  const ended = run().catch((error: unknown) => error);
  controller.abort();
  expect(isAbort(await ended)).toBe(true);
  expect(events).toEqual([{ kind: 'checkpoint-saved', step: 3 }]);
});

test('failures keep their code', async () => {
  const estimate: EngineApi['estimate'] = () =>
    Promise.reject(new AppError('bad-settings', { setting: 'rank', value: 0 }));
  const client = createEngineClient(connect({ estimate }).link);
  const settings = {} as never;
  await expect(client.estimate({ settings, photos: 1 })).rejects.toMatchObject({
    code: 'bad-settings',
    details: { setting: 'rank', value: 0 },
  });
});

test('a worker that dies ends the calls to it', async () => {
  const worker = new EventTarget();
  const died = watchDeath(worker as never);
  const open: EngineApi['open'] = () => new Promise(() => {});
  const client = createEngineClient(connect({ open }, died).link);
  const opening = client.open({ compute: 'wasm', precision: 'automatic', weights: 'original' });
  worker.dispatchEvent(new Event('error', { cancelable: true }));
  await expect(opening).rejects.toMatchObject({ code: 'engine-failed' });
  await expect(
    client.open({ compute: 'wasm', precision: 'automatic', weights: 'original' }),
  ).rejects.toMatchObject({
    code: 'engine-failed',
  });
});

test('a closed engine is terminated and its calls reject', async () => {
  const open: EngineApi['open'] = () => new Promise(() => {});
  const { link, terminated } = connect({ open });
  const client = createEngineClient(link);
  const opening = client.open({ compute: 'wasm', precision: 'automatic', weights: 'original' });
  client.close();
  await expect(opening).rejects.toMatchObject({ code: 'engine-failed' });
  expect(terminated()).toBe(1);
});

test('plain calls answer', async () => {
  const open: EngineApi['open'] = async ({ compute }) => ({ ...fakeInfo, adapter: compute });
  const preparePhoto: CodecApi['preparePhoto'] = async ({ name }) => {
    throw new AppError('bad-image', { file: name, reason: 'empty' });
  };
  const client = createEngineClient(connect({ open }).link);
  expect(await client.open({ compute: 'wasm', precision: 'automatic', weights: 'original' })).toEqual({
    ...fakeInfo,
    adapter: 'wasm',
  });
  const codec = createCodecClient(connect({ preparePhoto }).link);
  await expect(codec.preparePhoto({ file: new Blob(), name: 'a.jpg' })).rejects.toMatchObject({
    code: 'bad-image',
    details: { file: 'a.jpg', reason: 'empty' },
  });
});
