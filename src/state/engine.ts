// Opening the engine, loading the model, and going on after the worker died.
import { isAppError } from '../base/errors';
import type { EngineChoices } from '../engine/contract';
import { loadSetting, saveSetting } from '../storage/settings';
import type { App } from './app';
import { attempt } from './attempt';
import { asAdvised } from './drawing-state';
import type { EngineClient } from './engine-client';
import { choicesOf, defaultChoices, type EngineState } from './engine-state';
import { toFailure } from './failure';

/** The model that comes with the page. */
export const bundledModelId = 'bundled';

/** Opens the engine with the stored choices, at page start and after it died. */
export async function openEngine(app: App): Promise<void> {
  await start(app, (await attempt(app, loadChoices)) ?? defaultChoices);
}

/** Changes how the engine is to be and opens it anew. Not while it works: the page asks to pause first. */
export async function chooseEngine(app: App, change: Partial<EngineChoices>): Promise<void> {
  const state = app.engine.getState();
  const choices = { ...choicesOf(state), ...change };
  const isNew = choiceNames.some((name) => choices[name] !== state[name]);
  if (!isNew && state.phase !== 'failed') return;
  // The choice shows at once; keeping it may take its time.
  await Promise.all([start(app, choices), attempt(app, () => saveChoices(choices))]);
}

const choiceNames = Object.keys(defaultChoices) as readonly (keyof EngineChoices)[];

async function loadChoices(): Promise<EngineChoices> {
  const { compute, precision, weights } = defaultChoices;
  return {
    compute: (await loadSetting('compute')) ?? compute,
    precision: (await loadSetting('precision')) ?? precision,
    weights: (await loadSetting('weights')) ?? weights,
  };
}

async function saveChoices(choices: EngineChoices): Promise<void> {
  for (const name of choiceNames) await saveSetting(name, choices[name]);
}

/** Ends the worker, whatever it does, and starts another. Jobs under way fail with 'engine-failed'. */
export async function restartEngine(app: App): Promise<void> {
  await start(app, choicesOf(app.engine.getState()));
}

async function start(app: App, choices: EngineChoices): Promise<void> {
  const { engine } = app;
  const before = engine.getState();
  if ('client' in before) before.client.close();
  const opening: EngineState = { phase: 'opening', ...choices };
  engine.setState(opening, true);
  const client = app.services.connectEngine();
  // Another start may take over at any await: only who is present may write.
  const isPresent = () => {
    const state = engine.getState();
    return state === opening || ('client' in state && state.client === client);
  };
  const fail = (error: unknown) => {
    client.close();
    if (isPresent()) engine.setState({ phase: 'failed', ...choices, failure: toFailure(error) }, true);
  };
  client.died.catch(fail);
  try {
    const info = await client.open(choices);
    if (!isPresent()) return client.close();
    engine.setState(
      { phase: 'loading', ...choices, client, info, stage: 'download', loadedBytes: 0, totalBytes: 0 },
      true,
    );
    await loadLast(app, client);
  } catch (error) {
    fail(error);
  }
}

/** Loads what was used last, else the bundled model, so that a page start never fails for want of a model that was removed. */
async function loadLast(app: App, client: EngineClient): Promise<void> {
  const last = (await attempt(app, () => loadSetting('lastModelId'))) ?? bundledModelId;
  if (last === bundledModelId) return load(app, client, bundledModelId);
  try {
    await loadCarefully(app, client, last);
  } catch (error) {
    if (isAppError(error) && error.code === 'engine-failed') throw error;
    app.notice.setState(toFailure(error), true);
    await load(app, client, bundledModelId);
  }
}

/** A model that brings down the tab while it is loaded is not loaded again at the next start. */
async function loadCarefully(app: App, client: EngineClient, modelId: string): Promise<void> {
  await attempt(app, () => saveSetting('lastModelId', bundledModelId));
  await load(app, client, modelId);
  await attempt(app, () => saveSetting('lastModelId', modelId));
}

/**
 * Draws and trains with another model from now on, and as that one advises: steps, guidance and sizes of one model are wrong for the
 * next. When it cannot be loaded the present one stays. Not while the engine works.
 */
export async function switchModel(app: App, modelId: string): Promise<void> {
  const { engine } = app;
  const before = engine.getState();
  if (before.phase !== 'ready' || before.model.id === modelId) return;
  const { client, info } = before;
  engine.setState(
    {
      phase: 'loading',
      ...choicesOf(before),
      client,
      info,
      stage: 'prepare',
      loadedBytes: 0,
      totalBytes: 0,
    },
    true,
  );
  try {
    await loadCarefully(app, client, modelId);
    app.form.setState(asAdvised);
  } catch (error) {
    const present = engine.getState();
    if (present.phase !== 'loading' || present.client !== client) return; // another start took over
    engine.setState(before, true);
    await attempt(app, async () => {
      await saveSetting('lastModelId', before.model.id);
      throw error;
    });
  }
}

async function load(app: App, client: EngineClient, modelId: string): Promise<void> {
  const { engine } = app;
  const job = client.loadModel({ modelId }, new AbortController().signal);
  for (;;) {
    const next = await job.next();
    const state = engine.getState();
    if (state.phase !== 'loading' || state.client !== client) return;
    if (next.done) {
      const { info } = state;
      engine.setState(
        { phase: 'ready', ...choicesOf(state), client, info, model: next.value, memory: {} },
        true,
      );
      return;
    }
    const event = next.value;
    if (event.kind === 'stage-start') engine.setState({ ...state, stage: event.stage }, true);
    else {
      const { loadedBytes, totalBytes } = event;
      engine.setState({ ...state, loadedBytes, totalBytes }, true);
    }
  }
}

/** Asks the engine how much memory it uses, and after device loss where it runs now. */
export async function refreshEngine(app: App): Promise<void> {
  const state = app.engine.getState();
  if (state.phase !== 'ready') return;
  const { client } = state;
  try {
    const memory = await client.memory({});
    const present = app.engine.getState();
    if (present.phase === 'ready' && present.client === client)
      app.engine.setState({ ...present, memory }, true);
  } catch {
    // A figure that could not be read: the next one will, and a dead engine says so itself.
  }
}
