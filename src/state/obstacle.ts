// What keeps a draft from being trained, in one place for the button and for the sentences beside the fields.
import type { EngineState } from './engine-state';
import { badSettings } from './training-settings';
import type { Obstacle, Workspace } from './workspace-state';

/** The first thing that is missing, or undefined where the run can start. */
export function obstacleOf({ run, estimate }: Workspace, engine: EngineState): Obstacle | undefined {
  if (run.photos.length === 0) return 'no-photos';
  if (run.subjectWord.trim() === '') return 'no-word';
  if (run.className.trim() === '') return 'no-class';
  if (engine.phase !== 'ready' || !run.settings) return 'no-model';
  if (badSettings(run.settings, engine.model).length > 0) return 'bad-setting';
  if (estimate.phase === 'known' && !estimate.estimate.fits) return 'does-not-fit';
  return undefined;
}

/** Something about the photos or captions that a person may want to know before a run; it keeps nothing from starting. */
export type Advice =
  | { readonly kind: 'one-photo' }
  | { readonly kind: 'few-photos'; readonly count: number }
  | { readonly kind: 'many-photos'; readonly count: number }
  | { readonly kind: 'captions-without-word'; readonly count: number; readonly word: string };

/** Photos beyond which more change little. */
const enoughPhotos = 30;

/** Advice for the draft, most important first. */
export function adviceOf({ run }: Workspace): readonly Advice[] {
  const count = run.photos.length;
  const advice: Advice[] = [];
  if (count === 1) advice.push({ kind: 'one-photo' });
  else if (count > 0 && count < 4) advice.push({ kind: 'few-photos', count });
  if (count > enoughPhotos) advice.push({ kind: 'many-photos', count });
  const word = run.subjectWord.trim();
  const without = run.photos.filter(
    ({ caption }) => !caption.toLowerCase().includes(word.toLowerCase()),
  ).length;
  if (word !== '' && without > 0) advice.push({ kind: 'captions-without-word', count: without, word });
  return advice;
}
