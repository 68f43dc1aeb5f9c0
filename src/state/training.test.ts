import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import { AppError } from '../base/errors';
import type { TrainingEvent } from '../engine/contract';
import { listRuns, loadRun, saveRun } from '../storage/runs';
import { deleteSubject, refreshSubjects } from './subjects';
import { createFakeEngine, type FakeEngine } from './testing/fake-engine';
import { createTestApp, photoFile, startTestApp } from './testing/test-app';
import { continueRun, pauseTraining, resumeTraining, startTraining, stopTraining } from './training';
import { addPhotos } from './photos';
import {
  newSubject,
  openWorkspace,
  savedWorkspace,
  setSetting,
  setWords,
  useModelDefaults,
} from './workspace';
import { openEngine } from './engine';
import { obstacleOf } from './obstacle';

const stepEnd = (step: number, loss: number): TrainingEvent => ({
  kind: 'step-end',
  step,
  steps: 400,
  loss,
  gradNorm: 1,
  learningRate: 1e-4,
  secondsPerStep: 0.5,
});

async function draftWithPhotos(engine: FakeEngine = createFakeEngine()) {
  const started = await startTestApp({}, engine);
  await newSubject(started.app);
  await addPhotos(started.app, [photoFile('a'), photoFile('b')]);
  setWords(started.app, { className: 'dog' });
  return started;
}

const lastJob = (engine: FakeEngine) => engine.trained.at(-1)!.job;
const until = (isSo: () => boolean) => expect.poll(isSo).toBe(true);

test('trains the stored run, follows its events and ends', async () => {
  const { app, engine } = await draftWithPhotos();
  const training = startTraining(app);
  await until(() => engine.trained.length === 1);
  const { id } = app.workspace.getState().run;
  expect(engine.trained[0]!.runId).toBe(id);
  expect(await loadRun(id)).toMatchObject({ state: 'running', name: 'sks dog', className: 'dog' });
  expect((await loadRun(id))!.photos).toHaveLength(2);

  const image = new Blob(['picture']);
  lastJob(engine).give(
    { kind: 'stage-start', stage: 'class-images', total: 24 },
    { kind: 'stage-progress', stage: 'class-images', end: 24, total: 24 },
    { kind: 'stage-start', stage: 'train', total: 400 },
    stepEnd(1, 0.5),
    stepEnd(2, 0.25),
    { kind: 'evaluation-end', step: 2, loss: 0.3 },
    { kind: 'preview-ready', step: 2, image },
    { kind: 'checkpoint-saved', step: 2 },
  );
  await until(() => app.workspace.getState().run.step === 2);
  expect(app.progress.getState()).toEqual({
    stage: 'train',
    end: 2,
    total: 400,
    step: 2,
    steps: 400,
    loss: 0.25,
    secondsPerStep: 0.5,
  });
  expect(app.losses.losses).toEqual([0.5, 0.25]);
  expect(app.losses.evaluations).toEqual([{ step: 2, loss: 0.3 }]);
  expect(app.workspace.getState().previews).toEqual([{ step: 2, image }]);

  lastJob(engine).end({ step: 400, steps: 400 });
  await training;
  expect(app.training.getState()).toEqual({ phase: 'idle' });
  expect((await loadRun(id))!.state).toBe('ended');
});

test('pause keeps a checkpoint, resume goes on with the same run, stop ends it', async () => {
  const { app, engine } = await draftWithPhotos(createFakeEngine({ abortStep: 7 }));
  const first = startTraining(app);
  await until(() => engine.trained.length === 1);
  pauseTraining(app);
  await first;
  const { run } = app.workspace.getState();
  expect([run.state, run.step]).toEqual(['paused', 7]);
  expect((await loadRun(run.id))!.state).toBe('paused');

  const second = resumeTraining(app);
  await until(() => engine.trained.length === 2);
  expect(engine.trained[1]!.runId).toBe(run.id);
  expect((await loadRun(run.id))!.state).toBe('running');
  stopTraining(app);
  await second;
  expect((await loadRun(run.id))!.state).toBe('ended');
  expect(app.training.getState()).toEqual({ phase: 'idle' });
});

test('stopped before anything was made, it is a draft again', async () => {
  const { app, engine } = await draftWithPhotos();
  const training = startTraining(app);
  await until(() => engine.trained.length === 1);
  stopTraining(app);
  await training;
  expect(app.workspace.getState().run.state).toBe('draft');
});

test('stop pressed twice ends an engine that does not answer; the run keeps its checkpoint', async () => {
  const engines = [createFakeEngine(), createFakeEngine()];
  const [first, second] = engines as [FakeEngine, FakeEngine];
  // a job that ignores its signal until the worker is closed
  const deaf = { ...first.client, close: () => first.trained[0]?.job.fail(new AppError('engine-failed')) };
  deaf.train = ({ runId }) => first.client.train({ runId }, new AbortController().signal);
  const clients = [deaf, second.client];
  const { app } = await startTestApp({ connectEngine: () => clients.shift()! });
  await newSubject(app);
  await addPhotos(app, [photoFile('a')]);
  setWords(app, { className: 'dog' });
  const training = startTraining(app);
  await until(() => first.trained.length === 1);
  first.trained[0]!.job.give({ kind: 'checkpoint-saved', step: 50 });
  await until(() => app.workspace.getState().run.step === 50);
  stopTraining(app);
  expect(app.training.getState().phase).toBe('stopping');
  stopTraining(app);
  await training;
  expect(app.workspace.getState().run).toMatchObject({ state: 'ended', step: 50 });
  await until(() => app.engine.getState().phase === 'ready');
});

test('a failure is told, the run is kept and can go on', async () => {
  const { app, engine } = await draftWithPhotos();
  const training = startTraining(app);
  await until(() => engine.trained.length === 1);
  lastJob(engine).give({ kind: 'checkpoint-saved', step: 50 });
  lastJob(engine).fail(new AppError('not-finite', { step: 61 }));
  await training;
  const { run } = app.workspace.getState();
  expect(app.training.getState()).toMatchObject({
    phase: 'failed',
    runId: run.id,
    failure: { code: 'not-finite', details: { step: 61 } },
  });
  expect([run.state, run.step]).toEqual(['failed', 50]);
  expect((await loadRun(run.id))!.state).toBe('failed');
  void resumeTraining(app);
  await until(() => engine.trained.length === 2);
  stopTraining(app);
});

test('a run that another tab holds is left as it is', async () => {
  const { app, engine } = await draftWithPhotos();
  const training = startTraining(app);
  await until(() => engine.trained.length === 1);
  lastJob(engine).fail(new AppError('run-locked'));
  await training;
  expect((await loadRun(app.workspace.getState().run.id))!.state).toBe('running');
  expect(app.training.getState()).toMatchObject({ phase: 'failed', failure: { code: 'run-locked' } });
});

test('does not start while something is missing, and says what', async () => {
  const { app, engine } = await startTestApp();
  await newSubject(app);
  const obstacle = () => obstacleOf(app.workspace.getState(), app.engine.getState());
  await startTraining(app);
  expect([obstacle(), app.workspace.getState().hasTriedToStart]).toEqual(['no-photos', true]);
  await addPhotos(app, [photoFile('a')]);
  await startTraining(app);
  expect(obstacle()).toBe('no-class');
  setWords(app, { className: ' dog ', subjectWord: '' });
  await startTraining(app);
  expect(obstacle()).toBe('no-word');
  setWords(app, { subjectWord: 'sks' });
  setSetting(app, 'rank', 0);
  await startTraining(app);
  expect(obstacle()).toBe('bad-setting');
  expect(engine.trained).toEqual([]);
  expect(app.workspace.getState().run.state).toBe('draft');
});

test('an interrupted run is offered and continues; one of another tab is not', async () => {
  const { app } = await draftWithPhotos();
  const { run } = app.workspace.getState();
  const settings = run.settings!;
  await savedWorkspace(app);
  await saveRun({ ...run, settings, state: 'running', name: 'Rex', step: 40, updatedAt: 1e9 });

  const elsewhere = createTestApp({ heldLocks: async () => [`likeness-run:${run.id}`] });
  await refreshSubjects(elsewhere.app);
  expect(elsewhere.app.subjects.getState()).toContainEqual(
    expect.objectContaining({ id: run.id, activity: 'elsewhere' }),
  );

  const { app: later, engine } = await startTestApp();
  await refreshSubjects(later);
  expect(later.subjects.getState()).toContainEqual(
    expect.objectContaining({ id: run.id, name: 'Rex', activity: 'interrupted', step: 40, steps: 400 }),
  );
  void continueRun(later, run.id);
  await until(() => engine.trained.length === 1);
  expect(engine.trained[0]!.runId).toBe(run.id);
  expect(later.workspace.getState().run.id).toBe(run.id);
  stopTraining(later);
});

test('a removed subject leaves the workbench and the list', async () => {
  const { app } = await draftWithPhotos();
  await refreshSubjects(app);
  const { id } = app.workspace.getState().run;
  const subject = app.subjects.getState().find((one) => one.id === id)!;
  await deleteSubject(app, subject);
  expect((await listRuns()).map((run) => run.id)).not.toContain(id);
  expect(app.workspace.getState().run.id).not.toBe(id);
  expect(app.subjects.getState().map((one) => one.id)).not.toContain(id);
});

test('pressed while the model loads, it starts by itself once the model is there, and once only', async () => {
  const { app, engine } = createTestApp();
  await openWorkspace(app);
  await newSubject(app);
  await addPhotos(app, [photoFile('a')]);
  setWords(app, { className: 'dog' });
  const presses = [startTraining(app), startTraining(app)];
  expect([app.workspace.getState().startsWhenLoaded, engine.trained]).toEqual([true, []]);
  await openEngine(app);
  useModelDefaults(app); // as the page does when the model arrives
  await until(() => engine.trained.length === 1);
  expect(app.workspace.getState()).toMatchObject({ startsWhenLoaded: false, run: { state: 'running' } });
  lastJob(engine).end({ step: 400, steps: 400 });
  await Promise.all(presses);
  expect(engine.trained).toHaveLength(1);
});
