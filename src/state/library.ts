// What a person does with base models of the hub: look, download, pause, go on, remove. Each model has one task at a time.
import { isAbort } from '../base/errors';
import type { HubAddress } from '../storage/hub/hub-address';
import { listModels, removeModel } from '../storage/models';
import { requestPersistence } from '../storage/usage';
import type { App } from './app';
import { attempt } from './attempt';
import { toFailure } from './failure';
import type { GivenFile, ModelTask } from './library-state';

const taskOf = (app: App, id: string): ModelTask | undefined => app.library.getState().tasks[id];

/** Gives a model another task, or none. */
function setTask(app: App, id: string, task: ModelTask | undefined): void {
  app.library.setState(({ tasks }) => {
    const others = Object.entries(tasks).filter(([other]) => other !== id);
    return { tasks: Object.fromEntries(task ? [...others, [id, task]] : others) };
  });
}

/** Reads again what is in this browser. */
export async function refreshLibrary(app: App): Promise<void> {
  await attempt(app, async () => {
    const models = await listModels();
    app.library.setState({ stored: models.filter(({ record }) => record.source.kind !== 'page') });
  });
}

/** Asks the hub what a model is and what it costs. Nothing is kept of it. */
export async function inspectModel(app: App, { id, revision }: HubAddress): Promise<void> {
  const former = taskOf(app, id);
  if (former?.phase === 'inspecting' || former?.phase === 'downloading') return;
  const controller = new AbortController();
  await run(app, id, { phase: 'inspecting', controller }, async () => {
    const request = { id, revision, token: tokenOf(app) };
    const offer = await app.services.library.inspectModel(request, controller.signal);
    if (offer.id !== id) setTask(app, id, undefined); // the hub spells it otherwise
    setTask(app, offer.id, { phase: 'offered', offer });
  });
}

/** Downloads a model that was offered, or goes on with one that is here in part. */
export async function downloadModel(app: App, id: string): Promise<void> {
  const { services, library } = app;
  const task = taskOf(app, id);
  const model = library.getState().stored.find(({ record }) => record.id === id);
  const source = model?.record.source;
  const commit =
    task?.phase === 'offered' ? task.offer.commit : source?.kind === 'hub' ? source.commit : undefined;
  if (commit === undefined || task?.phase === 'downloading') return;
  const controller = new AbortController();
  const total =
    task?.phase === 'offered'
      ? { loadedBytes: task.offer.storedBytes, totalBytes: task.offer.sizeBytes }
      : { loadedBytes: model?.storedBytes ?? 0, totalBytes: model?.sizeBytes ?? 0 };
  await run(app, id, { phase: 'downloading', controller, ...total }, async () => {
    await requestPersistence();
    await services.keepAwake(async () => {
      const request = { id, commit, token: tokenOf(app) };
      for await (const { loadedBytes, totalBytes } of services.library.downloadModel(
        request,
        controller.signal,
      )) {
        setTask(app, id, { phase: 'downloading', controller, loadedBytes, totalBytes });
      }
    });
    setTask(app, id, undefined);
  });
}

/**
 * Brings in the model that a person has as files: a folder in diffusers' layout, or one file of weights. While it is copied it
 * stands in the list under `name`, then under its own id.
 */
export async function importModel(app: App, name: string, files: readonly GivenFile[]): Promise<void> {
  const { services } = app;
  if (files.length === 0 || taskOf(app, name)?.phase === 'importing') return;
  const controller = new AbortController();
  const start = { phase: 'importing', controller, loadedBytes: 0, totalBytes: 0 } as const;
  const bring = async () => {
    await requestPersistence();
    await services.keepAwake(async () => {
      for await (const { loadedBytes, totalBytes } of services.library.importModel(
        { files },
        controller.signal,
      ))
        setTask(app, name, { ...start, loadedBytes, totalBytes });
    });
    setTask(app, name, undefined);
  };
  await run(app, name, start, bring, files);
}

/** Tries an import again that failed for a passing reason. */
export async function retryImport(app: App, name: string): Promise<void> {
  const task = taskOf(app, name);
  if (task?.phase === 'failed' && task.files) await importModel(app, name, task.files);
}

/** Failures that lie in the files themselves. */
const lasting = ['bad-file', 'unsupported-model'];

/** Runs `task` while `state` stands; a failure takes its place (with `files`, where another try may help), a pause leaves nothing. */
async function run(
  app: App,
  id: string,
  state: ModelTask,
  task: () => Promise<void>,
  files?: readonly GivenFile[],
): Promise<void> {
  setTask(app, id, state);
  try {
    await task();
  } catch (error) {
    const failure = toFailure(error);
    const again = lasting.includes(failure.code) ? undefined : files;
    setTask(app, id, isAbort(error) ? undefined : { phase: 'failed', failure, files: again });
  }
  await refreshLibrary(app);
}

/** Ends what is under way for a model; what has arrived is kept. */
export function pauseModel(app: App, id: string): void {
  const task = taskOf(app, id);
  if (task && 'controller' in task) task.controller.abort();
}

/** Takes away an offer or a failure. */
export function dismissModel(app: App, id: string): void {
  const task = taskOf(app, id);
  if (task?.phase === 'offered' || task?.phase === 'failed') setTask(app, id, undefined);
}

/** Removes a model from this browser, as far as no other model has its files. Not the one in use, nor one under way. */
export async function removeStoredModel(app: App, id: string): Promise<void> {
  const engine = app.engine.getState();
  if (engine.phase === 'ready' && engine.model.id === id) return;
  if (taskOf(app, id)?.phase === 'downloading') return;
  dismissModel(app, id);
  await attempt(app, () => removeModel(id));
  await refreshLibrary(app);
}

const tokenOf = (app: App): string | undefined => app.library.getState().token.trim() || undefined;

const tokenName = 'likeness-hub-token';

/** Reads the token that was kept in this browser, if one was. */
export async function openHubToken({ services, library }: App): Promise<void> {
  const token = await services.smallStorage.getItem(tokenName);
  if (token) library.setState({ token, isTokenKept: true });
}

/** Takes another token for the hub, and keeps it in this browser only if asked. */
export function setHubToken({ services, library }: App, token: string, isKept: boolean): void {
  library.setState({ token, isTokenKept: isKept });
  if (isKept && token.trim() !== '') void services.smallStorage.setItem(tokenName, token.trim());
  else void services.smallStorage.removeItem(tokenName);
}
