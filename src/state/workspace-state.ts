// The subject on the workbench: a draft, or a run with its photos, words and settings.
import type { TrainingEstimate, TrainingSettings } from '../engine/contract';
import type { CheckpointInfo } from '../storage/checkpoints';
import type { Preview } from '../storage/previews';
import type { Run } from '../storage/runs';
import type { Failure } from './failure';

export type { TrainingEstimate, TrainingSettings };

/** A run with its settings checked; undefined until the model has said what they are. */
export type WorkRun = Omit<Run, 'settings'> & { readonly settings: TrainingSettings | undefined };

/** A file that was not added, or was and deserves a word. */
export type PhotoProblem =
  | { readonly id: string; readonly kind: 'failure'; readonly file: string; readonly failure: Failure }
  | { readonly id: string; readonly kind: 'duplicate'; readonly file: string; readonly of: string }
  | { readonly id: string; readonly kind: 'too-many'; readonly file: string };

type EstimateState =
  | { readonly phase: 'none' }
  | { readonly phase: 'known'; readonly estimate: TrainingEstimate }
  | { readonly phase: 'failed'; readonly failure: Failure };

/** What keeps a run from starting, nearest to the person's hand first. */
export type Obstacle = 'no-photos' | 'no-word' | 'no-class' | 'bad-setting' | 'no-model' | 'does-not-fit';

export type Workspace = {
  readonly run: WorkRun;
  readonly savedRun: WorkRun | undefined; // as storage has it
  readonly isOpened: boolean; // what was kept has been read
  readonly readingPhotos: number; // files still being decoded
  readonly problems: readonly PhotoProblem[];
  readonly hasTriedToStart: boolean; // from then on what is missing is said
  readonly startsWhenLoaded: boolean; // Start was pressed while the model was loading
  readonly saveFailure: Failure | undefined;
  readonly estimate: EstimateState;
  readonly checkpoints: readonly CheckpointInfo[];
  readonly previews: readonly Preview[];
};

/** Photos that a run takes at most: more only make a step of each rarer. */
export const mostPhotos = 100;

/** The default caption: what DreamBooth calls the instance prompt. */
export const instancePrompt = (subjectWord: string, className: string): string =>
  ['a photo of', subjectWord.trim(), className.trim()].filter((part) => part !== '').join(' ');

/** A new empty draft. */
export function emptyRun(id: string, now: number): WorkRun {
  return {
    version: 1,
    id,
    name: '',
    createdAt: now,
    updatedAt: now,
    modelId: '',
    subjectWord: 'sks',
    className: '',
    photos: [],
    settings: undefined,
    state: 'draft',
    step: 0,
  };
}

/** A workspace that shows `run` and nothing else yet; `isStored` where it came from storage. */
export function workspaceOf(run: WorkRun, { isOpened = true, isStored = false } = {}): Workspace {
  return {
    run,
    savedRun: isStored ? run : undefined,
    isOpened,
    readingPhotos: 0,
    problems: [],
    hasTriedToStart: false,
    startsWhenLoaded: false,
    saveFailure: undefined,
    estimate: { phase: 'none' },
    checkpoints: [],
    previews: [],
  };
}
