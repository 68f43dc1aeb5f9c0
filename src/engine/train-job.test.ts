import 'fake-indexeddb/auto';
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { listCheckpoints, loadCheckpoint } from '../storage/checkpoints';
import { listPreviews } from '../storage/previews';
import { loadRun, updateRun } from '../storage/runs';
import type { TrainingEvent } from './contract';
import type { EngineSession } from './session';
import { openNodeRuntime, openSession } from './testing/bundled';
import { losing } from './testing/lost-runtime';
import { encodePngInNode } from './testing/png';
import { shortSettings, storeRun } from './testing/runs';
import { trainRun } from './train-job';

/** Evaluations change no weight, so runs that are compared go without. */
const unwatched = { ...shortSettings, evaluateEvery: 0 };
const neverAborted = new AbortController().signal;
const start = (session: EngineSession, runId: string, signal = neverAborted) =>
  trainRun(session, runId, signal, encodePngInNode);

/** Trains to the end, or until `stop` says so: then the job is left where it stands, as by a killed tab. */
async function follow(
  job: ReturnType<typeof trainRun>,
  stop: (event: TrainingEvent) => boolean = () => false,
): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = [];
  for (;;) {
    const next = await job.next();
    if (next.done) return events;
    events.push(next.value);
    if (stop(next.value)) return events;
  }
}

const isStep = (step: number) => (event: TrainingEvent) => event.kind === 'step-end' && event.step === step;
const stepsOf = (events: readonly TrainingEvent[]) =>
  events.flatMap((event) => (event.kind === 'step-end' ? [event.step] : []));
const stepsTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

const hashOf = (data: Float32Array<ArrayBuffer>) => createHash('sha256').update(data).digest('hex');

/** What a finished run leaves for the next; weights and moments by their hashes, for they are to be equal to the last bit. */
async function resultOf(runId: string) {
  const { step, theta, m, v, losses } = (await loadCheckpoint(runId))!;
  return { step, theta: hashOf(theta), m: hashOf(m), v: hashOf(v), losses: [...losses] };
}

describe('a run of 12 steps on the bundled model', () => {
  let session: EngineSession;
  let events: TrainingEvent[];
  let whole: Awaited<ReturnType<typeof resultOf>>;

  beforeAll(async () => {
    await storeRun('whole');
    session = await openSession();
    events = await follow(start(session, 'whole'));
    whole = await resultOf('whole');
  }, 60_000);

  test('goes through its stages in order', () => {
    const stages = events.flatMap((event) =>
      event.kind === 'stage-start' ? [[event.stage, event.total]] : [],
    );
    expect(stages).toEqual([
      ['photos', 2],
      ['captions', 2],
      ['class-images', 4],
      ['compile', 1],
      ['train', 12],
    ]);
  });

  test('lowers the loss on the fixed set of photos, time steps and noise', () => {
    const losses = events.flatMap((event) => (event.kind === 'evaluation-end' ? [event.loss] : []));
    expect(losses).toHaveLength(2);
    expect(losses[1]).toBeLessThan(0.985 * losses[0]!);
  });

  test('tells every step and keeps what it told', async () => {
    expect(stepsOf(events)).toEqual(stepsTo(12));
    const losses = events.flatMap((event) => (event.kind === 'step-end' ? [event.loss] : []));
    expect(whole.losses).toEqual(losses);
    expect(whole.step).toBe(12);
    expect((await loadRun('whole'))!.step).toBe(12);
    expect((await listCheckpoints('whole')).map(({ step }) => step)).toEqual([3, 6, 9, 12]);
  });

  test('leaves nothing of the training in the memory account', async () => {
    const labels = Object.keys(await session.memory());
    expect(labels).toContain('unet weights');
    expect(labels.filter((label) => /training|optimizer|batch/.test(label))).toEqual([]);
  });

  test('killed at step 7, goes on from step 6 to the very same weights, moments and losses', async () => {
    await storeRun('killed', unwatched);
    await follow(start(await openSession(), 'killed'), isStep(7));
    const labels: string[] = [];
    const session = await openSession(() => {
      const runtime = openNodeRuntime();
      const compile: typeof runtime.compile = (label, ...rest) => {
        labels.push(label);
        return runtime.compile(label, ...rest);
      };
      return Promise.resolve({
        runtime: { ...runtime, compile },
        fallbackReason: '',
        noHalfReason: 'WebAssembly computes in 32 bits',
      });
    });
    const events = await follow(start(session, 'killed'));
    expect(stepsOf(events)).toEqual(stepsTo(12, 7));
    expect(await resultOf('killed')).toEqual(whole);
    expect([...new Set(labels)].sort()).toEqual(['optimizer', 'text encoder', 'training step']); // class pictures are drawn once
  });

  test('paused at step 5, saves there and goes on to the same weights', async () => {
    await storeRun('paused', unwatched);
    const pause = new AbortController();
    const job = start(session, 'paused', pause.signal);
    await follow(job, isStep(5));
    pause.abort();
    await expect(follow(job)).rejects.toMatchObject({ name: 'AbortError' });
    expect((await loadCheckpoint('paused'))!.step).toBe(5);
    expect((await loadRun('paused'))!.step).toBe(5);
    expect(stepsOf(await follow(start(session, 'paused')))).toEqual(stepsTo(12, 6));
    expect(await resultOf('paused')).toEqual(whole);
  });

  test('losing its device at step 5, goes on by itself on a new one to the same weights', async () => {
    await storeRun('lost', unwatched);
    let opened = 0;
    const session = await openSession(() => {
      const runtime = openNodeRuntime();
      // one run of these programs a step
      return Promise.resolve({
        runtime: opened++ === 0 ? losing(runtime, 'training step', 5) : runtime,
        fallbackReason: '',
        noHalfReason: 'WebAssembly computes in 32 bits',
      });
    });
    expect(stepsOf(await follow(start(session, 'lost')))).toEqual([...stepsTo(4), ...stepsTo(12, 4)]);
    expect(opened).toBe(2);
    expect(await resultOf('lost')).toEqual(whole);
  });

  test('is over: training it again changes nothing', async () => {
    expect(await follow(start(session, 'whole'))).toEqual([]);
    expect(await resultOf('whole')).toEqual(whole);
  });
});

test('a device that is lost again and again ends the run with its error', async () => {
  await storeRun('hopeless', { ...shortSettings, steps: 2, evaluateEvery: 0 });
  let opened = 0;
  const session = await openSession(() => {
    opened++;
    return Promise.resolve({
      runtime: losing(openNodeRuntime(), 'text encoder', 1),
      fallbackReason: '',
      noHalfReason: 'WebAssembly computes in 32 bits',
    });
  });
  await expect(follow(start(session, 'hopeless'))).rejects.toMatchObject({ code: 'device-lost' });
  expect(opened).toBe(4);
});

test('the text encoder learns too where it is asked for, and previews show it', async () => {
  await storeRun('text', {
    ...shortSettings,
    trainTextEncoder: true,
    priorPreservation: false,
    flip: false,
    steps: 2,
    evaluateEvery: 0,
    previewEvery: 2,
  });
  const events = await follow(start(await openSession(), 'text'));
  expect(stepsOf(events)).toEqual([1, 2]);
  const previews = await listPreviews('text');
  expect(previews.map(({ step }) => step)).toEqual([0, 2]);
  const [before, after] = await Promise.all(previews.map(({ image }) => image.text()));
  expect(before).not.toBe(after);
  const { layout } = (await loadCheckpoint('text'))!;
  const modules = (layout as { module: string }[]).map(({ module }) => module.split('.')[0]);
  expect([...new Set(modules)].sort()).toEqual(['text_encoder', 'unet']);
});

test('a run that is not stored, or has settings out of range, fails with a reason', async () => {
  const session = await openSession();
  await expect(follow(start(session, 'nowhere'))).rejects.toMatchObject({ code: 'storage-failed' });
  await storeRun('wild');
  await updateRun('wild', { settings: { ...shortSettings, rank: 0 } });
  await expect(follow(start(session, 'wild'))).rejects.toMatchObject({
    code: 'bad-settings',
    details: { setting: 'rank' },
  });
});
