// The subject on the workbench: reading what was kept, changing it, keeping every change.
import type { RecipeName, TrainingSettings } from '../engine/contract';
import { listCheckpoints, loadCheckpoint } from '../storage/checkpoints';
import { listPreviews } from '../storage/previews';
import { listRuns, loadRun, saveRun, updateRun, type Photo, type Run } from '../storage/runs';
import type { App } from './app';
import { attempt } from './attempt';
import { modelOf } from './engine-state';
import { toFailure } from './failure';
import { parseSettings, withRecipe } from './training-settings';
import { emptyRun, instancePrompt, workspaceOf, type WorkRun } from './workspace-state';

/** Opens what was worked on last, at page start. */
export async function openWorkspace(app: App): Promise<void> {
  const runs = (await attempt(app, () => listRuns())) ?? [];
  const last = runs.reduce<Run | undefined>(
    (newest, run) => (newest && newest.updatedAt >= run.updatedAt ? newest : run),
    undefined,
  );
  if (last) await showRun(app, last);
  app.workspace.setState({ isOpened: true });
  useModelDefaults(app);
}

/** Opens a stored run. Throws AppError('storage-failed'). */
export async function openRun(app: App, runId: string): Promise<void> {
  await savedWorkspace(app);
  const run = await loadRun(runId);
  if (run) await showRun(app, run);
}

async function showRun(app: App, run: Run): Promise<void> {
  const [checkpoints, previews, last] = await Promise.all([
    listCheckpoints(run.id),
    listPreviews(run.id),
    loadCheckpoint(run.id),
  ]);
  const work: WorkRun = { ...run, settings: parseSettings(run.settings), step: last?.step ?? run.step };
  app.losses.reset(last?.losses ?? []);
  app.workspace.setState({ ...workspaceOf(work, { isStored: true }), checkpoints, previews }, true);
  useModelDefaults(app);
}

/** Puts an empty draft on the workbench; what was there is kept. */
export async function newSubject(app: App): Promise<void> {
  await savedWorkspace(app);
  const { newId, now } = app.services;
  app.losses.reset([]);
  app.workspace.setState(workspaceOf(emptyRun(newId(), now())), true);
  useModelDefaults(app);
}

/** Gives a draft without settings the standard recipe of the loaded model. Called when either arrives. */
export function useModelDefaults(app: App): void {
  const { run, isOpened } = app.workspace.getState();
  const model = modelOf(app.engine.getState());
  if (!model || !isOpened || run.state !== 'draft') return;
  const settings = run.settings ?? model.recipes.standard;
  if (run.settings !== settings || run.modelId !== model.id)
    app.workspace.setState({ run: { ...run, settings, modelId: model.id } });
}

/** Changes the draft and keeps the change. Anything but a draft stays as it is. */
export function editDraft(app: App, change: (run: WorkRun) => Partial<WorkRun>): void {
  const { run } = app.workspace.getState();
  if (run.state !== 'draft') return;
  app.workspace.setState({ run: { ...run, ...change(run) } });
  void saveWorkspace(app);
}

/** Changes subject word or class; captions that nobody edited follow. */
export function setWords(app: App, words: Partial<Pick<WorkRun, 'subjectWord' | 'className'>>): void {
  editDraft(app, (run) => {
    const { subjectWord, className } = { ...run, ...words };
    const before = instancePrompt(run.subjectWord, run.className);
    const after = instancePrompt(subjectWord, className);
    const photos = run.photos.map((photo) =>
      photo.caption === before ? { ...photo, caption: after } : photo,
    );
    return { subjectWord, className, photos };
  });
}

/** Changes one setting. */
export function setSetting<Key extends keyof TrainingSettings>(
  app: App,
  key: Key,
  value: TrainingSettings[Key],
): void {
  editDraft(app, ({ settings }) => (settings ? { settings: { ...settings, [key]: value } } : {}));
}

/** Changes all settings to those of a recipe of the loaded model. */
export function chooseRecipe(app: App, recipe: RecipeName): void {
  const model = modelOf(app.engine.getState());
  if (!model) return;
  editDraft(app, ({ settings }) => ({
    settings: withRecipe(settings ?? model.recipes.standard, recipe, model),
  }));
}

/** Changes the run on the workbench, whatever its state, and keeps the change; what could not be kept is said. */
export function changeRun(app: App, patch: Partial<WorkRun>): Promise<void> {
  app.workspace.setState(({ run }) => ({ run: { ...run, ...patch } }));
  return saveWorkspace(app);
}

/** Keeps the workbench as it is now. Resolves when that is done or has failed (`saveFailure`). */
function saveWorkspace(app: App): Promise<void> {
  return app.saving(async () => {
    const { run, savedRun } = app.workspace.getState();
    if (run === savedRun) return; // an earlier write took this change along
    try {
      await write(run, savedRun, app.services.now());
      app.workspace.setState((state) =>
        state.run.id === run.id ? { savedRun: run, saveFailure: undefined } : {},
      );
    } catch (error) {
      app.workspace.setState({ saveFailure: toFailure(error) });
    }
  });
}

/** Resolves when all changes so far are kept or have failed. */
export function savedWorkspace(app: App): Promise<void> {
  return app.saving(() => Promise.resolve());
}

/** Photos are large and rarely change: they are written only when they did. */
async function write(run: WorkRun, savedRun: WorkRun | undefined, now: number): Promise<void> {
  const { settings = {}, ...rest } = run;
  if (savedRun?.id !== run.id) return saveRun({ ...rest, settings, updatedAt: now });
  const { name, modelId, subjectWord, className, photos, state } = run;
  const patch = { name, modelId, subjectWord, className, settings, state };
  await updateRun(run.id, photos === savedRun.photos ? patch : { ...patch, photos }, now);
}

/** Changes one photo of the draft. */
export function editPhotos(app: App, change: (photos: readonly Photo[]) => readonly Photo[]): void {
  editDraft(app, ({ photos }) => ({ photos: change(photos) }));
}
