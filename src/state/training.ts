// Starting, pausing, stopping and going on with a run. The engine trains the stored run; the page follows and keeps its state.
import { isAbort } from '../base/errors';
import type { TrainingEvent } from '../engine/contract';
import { listCheckpoints } from '../storage/checkpoints';
import type { RunState } from '../storage/runs';
import { requestPersistence } from '../storage/usage';
import type { App } from './app';
import { attempt } from './attempt';
import { refreshEngine, restartEngine } from './engine';
import type { ReadyEngine } from './engine-state';
import { toFailure } from './failure';
import { obstacleOf } from './obstacle';
import { refreshSubjects } from './subjects';
import { isTraining, type TrainingProgress } from './training-state';
import { changeRun, openRun } from './workspace';

/**
 * Turns the draft into a run and trains it, as soon as the model is loaded; where something else is missing, says so and does
 * nothing. Resolves when it ended.
 */
export async function startTraining(app: App): Promise<void> {
  const { run, startsWhenLoaded } = app.workspace.getState();
  if (run.state !== 'draft' || startsWhenLoaded || isTraining(app.training.getState())) return;
  app.workspace.setState({ hasTriedToStart: true });
  await modelLoaded(app);
  if (app.workspace.getState().run.id !== run.id) return;
  const engine = app.engine.getState();
  if (engine.phase !== 'ready' || obstacleOf(app.workspace.getState(), engine) !== undefined) return;
  const name = run.name || `${run.subjectWord.trim()} ${run.className.trim()}`;
  void attempt(app, () => requestPersistence());
  await train(app, engine, { name, modelId: engine.model.id });
}

/** Waits while the model's loading is all that keeps the draft on the workbench from starting. */
async function modelLoaded(app: App): Promise<void> {
  const { id } = app.workspace.getState().run;
  const isWaiting = () => {
    const workspace = app.workspace.getState();
    const engine = app.engine.getState();
    return (
      workspace.run.id === id && engine.phase !== 'failed' && obstacleOf(workspace, engine) === 'no-model'
    );
  };
  if (!isWaiting()) return;
  app.workspace.setState({ startsWhenLoaded: true });
  await new Promise<void>((resolve) => {
    const stops = [app.engine, app.workspace].map((store) =>
      store.subscribe(() => {
        if (isWaiting()) return;
        for (const stop of stops) stop();
        resolve();
      }),
    );
  });
  app.workspace.setState({ startsWhenLoaded: false });
}

/** Goes on with the run on the workbench from its newest checkpoint. */
export async function resumeTraining(app: App): Promise<void> {
  const { run } = app.workspace.getState();
  const engine = app.engine.getState();
  if (run.state === 'draft' || engine.phase !== 'ready' || isTraining(app.training.getState())) return;
  await train(app, engine, {});
}

/** Opens a run that was interrupted and goes on with it. */
export async function continueRun(app: App, runId: string): Promise<void> {
  if (isTraining(app.training.getState())) return;
  await attempt(app, () => openRun(app, runId));
  if (app.workspace.getState().run.id === runId) await resumeTraining(app);
}

/** Asks the run to stop for now; the engine keeps a checkpoint first. */
export const pauseTraining = (app: App): void => interrupt(app, 'paused');

/** Asks the run to end. Asked a second time while the engine does not answer, ends the engine itself: the last checkpoint stays. */
export function stopTraining(app: App): void {
  if (app.training.getState().phase === 'stopping') void restartEngine(app);
  else interrupt(app, 'ended');
}

function interrupt(app: App, wanted: 'paused' | 'ended'): void {
  const training = app.training.getState();
  if (training.phase !== 'running') return;
  app.training.setState({ ...training, phase: 'stopping', wanted }, true);
  training.controller.abort();
}

type RunNames = { readonly name?: string; readonly modelId?: string };

async function train(app: App, { client }: ReadyEngine, names: RunNames): Promise<void> {
  const runId = app.workspace.getState().run.id;
  const controller = new AbortController();
  app.training.setState({ phase: 'running', runId, controller }, true);
  app.progress.setState(firstProgress(app), true);
  const before = app.workspace.getState().run.state;
  await changeRun(app, { ...names, state: 'running' });
  if (app.workspace.getState().saveFailure) {
    // What is not stored cannot be trained: the sentence about the full disk is on the page.
    app.workspace.setState(({ run }) => ({ run: { ...run, state: before } }));
    app.training.setState({ phase: 'idle' }, true);
    return;
  }
  void refreshSubjects(app);
  try {
    await app.services.keepAwake(async () => {
      for await (const event of client.train({ runId }, controller.signal)) await apply(app, event);
    });
    await settle(app, 'ended');
  } catch (error) {
    const training = app.training.getState();
    if (isAbort(error)) await settle(app, training.phase === 'stopping' ? training.wanted : 'paused');
    else await settleFailure(app, runId, error);
  }
}

async function settle(app: App, state: RunState): Promise<void> {
  // Stopped before the first checkpoint: nothing was made, so it is a draft again.
  const { step } = app.workspace.getState().run;
  await changeRun(app, { state: state === 'ended' && step === 0 ? 'draft' : state });
  app.training.setState({ phase: 'idle' }, true);
  await refreshAfter(app);
}

async function settleFailure(app: App, runId: string, error: unknown): Promise<void> {
  const training = app.training.getState();
  const failure = toFailure(error);
  // Stop was pressed twice, or another tab has the run: neither is a failure of the run.
  if (training.phase === 'stopping') return settle(app, training.wanted);
  if (failure.code !== 'run-locked') await changeRun(app, { state: 'failed' });
  app.training.setState({ phase: 'failed', runId, failure }, true);
  await refreshAfter(app);
}

async function refreshAfter(app: App): Promise<void> {
  await Promise.all([refreshSubjects(app), refreshCheckpoints(app), refreshEngine(app)]);
}

function firstProgress(app: App): TrainingProgress {
  const { run } = app.workspace.getState();
  const steps = run.settings?.steps ?? 0;
  const { step } = run;
  return { stage: 'load', end: 0, total: 1, step, steps, loss: undefined, secondsPerStep: undefined };
}

async function apply(app: App, event: TrainingEvent): Promise<void> {
  const update = (change: Partial<TrainingProgress>) => {
    app.progress.setState((progress) => ({ ...(progress ?? firstProgress(app)), ...change }));
  };
  switch (event.kind) {
    case 'stage-start':
      update({ stage: event.stage, end: 0, total: event.total });
      return refreshEngine(app);
    case 'stage-progress':
      return update({ stage: event.stage, end: event.end, total: event.total });
    case 'step-end': {
      const { step, steps, loss, secondsPerStep } = event;
      app.losses.addStep(step, loss);
      return update({ stage: 'train', end: step, total: steps, step, steps, loss, secondsPerStep });
    }
    case 'evaluation-end':
      return app.losses.addEvaluation(event.step, event.loss);
    case 'preview-ready': {
      const { step, image } = event;
      return app.workspace.setState(({ previews }) => ({
        previews: [...previews.filter((one) => one.step < step), { step, image }],
      }));
    }
    case 'checkpoint-saved':
      // The engine has stored the step itself.
      app.workspace.setState(({ run, savedRun }) => {
        const next = { ...run, step: event.step };
        return { run: next, savedRun: savedRun === run ? next : savedRun };
      });
      return refreshCheckpoints(app);
  }
}

/** Reads the list of kept checkpoints of the run on the workbench again. */
export async function refreshCheckpoints(app: App): Promise<void> {
  const { id } = app.workspace.getState().run;
  const checkpoints = await attempt(app, () => listCheckpoints(id));
  if (checkpoints && app.workspace.getState().run.id === id) app.workspace.setState({ checkpoints });
}
