import { expect, test } from 'vitest';
import { AppError } from '../base/errors';
import type { Runtime } from '../runtime/runtime';
import type { Compute, EngineChoices } from './contract';
import { encodePrompt } from './prompts';
import { EngineSession } from './session';
import { bundledModel, openNodeRuntime } from './testing/bundled';

type Opened = Omit<EngineChoices, 'weights'> & { readonly runtime: Runtime; lose(): void; disposed: boolean };
const choose = (compute: Compute): EngineChoices => ({
  compute,
  precision: 'automatic',
  weights: 'original',
});

/** A session on real runtimes, with a list of those that were opened. */
function watchedSession() {
  const opened: Opened[] = [];
  const session = new EngineSession((compute, precision) => {
    let tell: (reason: string) => void;
    const lost = new Promise<string>((resolve) => {
      tell = resolve;
    });
    const own = openNodeRuntime();
    const dispose = async () => {
      one.disposed = true;
      await own.dispose();
    };
    const lose = () => {
      tell('gone');
    };
    const one: Opened = { compute, precision, runtime: { ...own, lost, dispose }, lose, disposed: false };
    opened.push(one);
    return Promise.resolve({
      runtime: one.runtime,
      fallbackReason: compute === 'automatic' ? 'no GPU' : '',
      noHalfReason: compute === 'webgpu' ? '' : 'no halves',
    });
  });
  return { session, opened };
}

test('opens once, also for calls at the same time, and tells what it opened', async () => {
  const { session, opened } = watchedSession();
  const infos = await Promise.all([
    session.open(choose('automatic')),
    session.open(choose('automatic')),
    session.info(),
  ]);
  for (const info of infos)
    expect(info).toEqual({
      backend: 'wasm',
      threads: 1,
      adapter: '',
      memoryLimitBytes: 3.5 * 2 ** 30,
      fallbackReason: 'no GPU',
      samplingType: 'float32',
      noHalfReason: 'no halves',
    });
  expect(opened).toHaveLength(1);
});

test('has no model and no pipeline before one is loaded', async () => {
  const { session } = watchedSession();
  expect(() => session.model).toThrow(expect.objectContaining({ code: 'engine-failed' }));
  await expect(session.pipeline()).rejects.toMatchObject({ code: 'engine-failed' });
});

test('a runtime that cannot be opened is tried again by the next call', async () => {
  let tries = 0;
  const session = new EngineSession(() =>
    tries++ === 0
      ? Promise.reject(new AppError('webgpu-missing'))
      : Promise.resolve({ runtime: openNodeRuntime(), fallbackReason: '', noHalfReason: '' }),
  );
  await expect(session.open(choose('webgpu'))).rejects.toMatchObject({ code: 'webgpu-missing' });
  expect((await session.open(choose('wasm'))).backend).toBe('wasm');
  expect(tries).toBe(2);
});

test('another compute moves the model over and frees what the first one held', async () => {
  const { session, opened } = watchedSession();
  await session.open(choose('webgpu'));
  await session.use(await bundledModel());
  const before = await encodePrompt(await session.pipeline(), 'a red ball');
  expect(Object.keys(await session.memory())).toEqual(['text_encoder weights', 'text encoder']);

  await session.open(choose('wasm'));
  expect(opened.map(({ compute, disposed }) => [compute, disposed])).toEqual([
    ['webgpu', true],
    ['wasm', false],
  ]);
  expect(opened[0]!.runtime.memory()).toEqual({});
  expect(await session.memory()).toEqual({});
  const pipeline = await session.pipeline();
  expect(pipeline.runtime).toBe(opened[1]!.runtime);
  expect(await encodePrompt(pipeline, 'a red ball')).toEqual(before);
});

test('the device of a runtime that was given up says late that it is gone: the present one stays', async () => {
  const { session, opened } = watchedSession();
  await session.use(await bundledModel());
  await session.open(choose('webgpu'));
  await session.open(choose('wasm'));
  const pipeline = await session.pipeline();
  opened[0]!.lose();
  await opened[0]!.runtime.lost;
  expect(await session.pipeline()).toBe(pipeline);
  expect(opened).toHaveLength(2);
});

test('after a lost device the next use opens another, with the same model', async () => {
  const { session, opened } = watchedSession();
  await session.use(await bundledModel());
  const before = await session.pipeline();
  opened[0]!.lose();
  await opened[0]!.runtime.lost;
  const after = await session.pipeline();
  expect(opened).toHaveLength(2);
  expect(after).not.toBe(before);
  expect(after.model).toBe(before.model);
  expect(after.runtime).toBe(opened[1]!.runtime);
});

test('a job that has seen the loss first gives the runtime up itself', async () => {
  const { session, opened } = watchedSession();
  await session.use(await bundledModel());
  session.forget((await session.pipeline()).runtime);
  expect((await session.pipeline()).runtime).toBe(opened[1]!.runtime);
  opened[0]!.lose(); // its own word, later
  await opened[0]!.runtime.lost;
  expect((await session.pipeline()).runtime).toBe(opened[1]!.runtime);
});

test('another model frees the first one’s weights', async () => {
  const { session, opened } = watchedSession();
  const model = await bundledModel();
  await session.use(model);
  await encodePrompt(await session.pipeline(), '');
  await session.use({ ...model });
  expect(opened[0]!.runtime.memory()).toEqual({});
  expect(opened[0]!.disposed).toBe(false);
});

test('pictures are computed in float16 where the runtime may, unless full precision is chosen', async () => {
  const { session, opened } = watchedSession();
  await session.use(await bundledModel());
  expect(await session.open(choose('webgpu'))).toMatchObject({ samplingType: 'float16', noHalfReason: '' });
  expect((await session.pipeline()).samplingType).toBe('float16');
  await session.open({ ...choose('webgpu'), precision: 'full' });
  expect((await session.pipeline()).samplingType).toBe('float32');
  expect(opened.map(({ precision, disposed }) => [precision, disposed])).toEqual([
    ['automatic', true],
    ['full', false],
  ]);
});
