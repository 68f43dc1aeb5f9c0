// The saved subjects: reading them, and what a person does with one.
import { deleteSnapshot } from '../storage/checkpoints';
import { deleteLora, listLoras, renameLora, type ImportedLora } from '../storage/loras';
import { deleteRun, listRuns, renameRun, type Run } from '../storage/runs';
import type { LoraFormat } from '../engine/contract';
import type { App } from './app';
import { attempt } from './attempt';
import type { Activity, LoraSubject, RunSubject, Subject } from './subjects-state';
import { isTraining } from './training-state';
import { newSubject, openRun, savedWorkspace } from './workspace';

/** Reads all subjects again, newest first. */
export async function refreshSubjects(app: App): Promise<void> {
  await attempt(app, async () => {
    const [runs, loras, locks] = await Promise.all([listRuns(), listLoras(), app.services.heldLocks()]);
    const subjects: Subject[] = [
      ...runs.map((run) => runSubject(app, run, locks)),
      ...loras.map(loraSubject),
    ];
    app.subjects.setState(
      subjects.sort((a, b) => b.createdAt - a.createdAt),
      true,
    );
  });
}

function runSubject(app: App, run: Run, locks: readonly string[]): RunSubject {
  const { id, name, createdAt, state, step, subjectWord, className } = run;
  const { steps } = run.settings;
  return {
    kind: 'run',
    id,
    name: name || [subjectWord, className].join(' ').trim() || 'Untitled',
    createdAt,
    thumbnail: run.photos[0]?.thumbnail,
    state,
    activity: activityOf(app, run, locks),
    step,
    steps: typeof steps === 'number' ? steps : 0,
    subjectWord,
    className,
  };
}

function activityOf(app: App, { id, state }: Run, locks: readonly string[]): Activity {
  const training = app.training.getState();
  if (isTraining(training) && 'runId' in training && training.runId === id) return 'here';
  if (locks.includes(`likeness-run:${id}`)) return 'elsewhere';
  return state === 'running' ? 'interrupted' : 'none';
}

const loraSubject = ({ id, name, importedAt, modelId, fileName, file }: ImportedLora): LoraSubject => ({
  kind: 'lora',
  id,
  name,
  createdAt: importedAt,
  modelId,
  fileName,
  sizeBytes: file.size,
});

/** Puts a stored run on the workbench. Not while another is being trained there. */
export async function openSubject(app: App, runId: string): Promise<void> {
  if (isTraining(app.training.getState())) return;
  app.training.setState({ phase: 'idle' }, true);
  await attempt(app, () => openRun(app, runId));
  await refreshSubjects(app);
}

/** Starts a new subject; what is on the workbench stays in the list. */
export async function startNewSubject(app: App): Promise<void> {
  if (isTraining(app.training.getState())) return;
  app.training.setState({ phase: 'idle' }, true);
  await newSubject(app);
  await refreshSubjects(app);
}

/** Gives a subject another name. */
export async function renameSubject(app: App, { kind, id }: Subject, name: string): Promise<void> {
  const trimmed = name.trim();
  if (trimmed === '') return;
  await attempt(app, async () => {
    await (kind === 'run' ? renameRun(id, trimmed) : renameLora(id, trimmed));
    app.workspace.setState(({ run }) => (run.id === id ? { run: { ...run, name: trimmed } } : {}));
  });
  await refreshSubjects(app);
}

/** Removes a subject with everything of it. One under training stays. */
export async function deleteSubject(app: App, subject: Subject): Promise<void> {
  const { kind, id } = subject;
  if (kind === 'run' && (subject.activity === 'here' || subject.activity === 'elsewhere')) return;
  await attempt(app, async () => {
    await savedWorkspace(app);
    await (kind === 'run' ? deleteRun(id) : deleteLora(id));
    forgetSubject(app, id);
    if (app.workspace.getState().run.id === id) await newSubject(app);
  });
  await refreshSubjects(app);
}

function forgetSubject(app: App, id: string): void {
  const forget = { subjectId: undefined, checkpointStep: undefined };
  app.form.setState((form) => (form.subjectId === id ? forget : {}));
  app.chat.setState((chat) => (chat.subjectId === id ? { subjectId: undefined } : {}));
}

/** Removes one kept checkpoint of the run on the workbench. */
export async function deleteCheckpoint(app: App, step: number): Promise<void> {
  const { id } = app.workspace.getState().run;
  await attempt(app, () => deleteSnapshot(id, step));
  app.workspace.setState(({ checkpoints }) => ({
    checkpoints: checkpoints.filter((checkpoint) => checkpoint.step !== step),
  }));
}

/** The weights of a subject as a file, or undefined where that failed (the notice says why). */
export async function exportSubject(
  app: App,
  subjectId: string,
  format: LoraFormat,
  checkpointStep?: number,
): Promise<{ readonly fileName: string; readonly file: Blob } | undefined> {
  const engine = app.engine.getState();
  if (engine.phase !== 'ready') return undefined;
  return attempt(app, async () => {
    const { fileName, bytes } = await engine.client.exportLora({ subjectId, checkpointStep, format });
    return { fileName, file: new Blob([bytes as Uint8Array<ArrayBuffer>]) };
  });
}

/** Brings a LoRA file in as a subject; answers whether it was taken (else the notice says why not). */
export async function importLoraFile(app: App, file: File): Promise<boolean> {
  const engine = app.engine.getState();
  if (engine.phase !== 'ready') return false;
  const imported = await attempt(app, () => engine.client.importLora({ file, fileName: file.name }));
  await refreshSubjects(app);
  return imported !== undefined;
}
