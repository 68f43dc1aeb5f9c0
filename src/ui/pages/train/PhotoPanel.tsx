// The photos as a contact sheet: dropped, pasted, chosen or taken from the sample; captions under them.
import { useStore } from 'zustand';
import { dismissProblems, trySample } from '../../../state/photos';
import type { PhotoProblem } from '../../../state/workspace-state';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { describeFailure } from '../../describe-error';
import { countOf } from '../../format';
import p from '../page.module.css';
import { PhotoDrop } from './PhotoDrop';
import { PhotoFrame } from './PhotoFrame';
import s from './Train.module.css';

/** The photos of the subject on the workbench. */
export function PhotoPanel() {
  const app = useApp();
  const { photos, state } = useStore(app.workspace, ({ run }) => run);
  const reading = useStore(app.workspace, ({ readingPhotos }) => readingPhotos);
  const isDraft = state === 'draft';
  return (
    <section className={p['panel']} aria-labelledby="photos-title">
      <div className={p['panelHead']}>
        <h2 id="photos-title">Photos</h2>
        <p className={p['soft']} aria-live="polite">
          {reading > 0
            ? `Reading ${countOf(reading, 'photo')}…`
            : photos.length > 0 && countOf(photos.length, 'photo')}
        </p>
      </div>
      {isDraft && photos.length === 0 && <EmptySheet />}
      {photos.length > 0 && (
        <div className={s['sheet']}>
          <ul aria-label="Photos" style={{ display: 'contents' }}>
            {photos.map((photo) => (
              <PhotoFrame key={photo.id} photo={photo} isDraft={isDraft} />
            ))}
          </ul>
          {isDraft && <PhotoDrop isSmall />}
        </div>
      )}
      <Problems />
    </section>
  );
}

function EmptySheet() {
  const app = useApp();
  return (
    <>
      <PhotoDrop />
      <div className={p['row']}>
        <Button onPress={() => void trySample(app)}>Try with sample photos</Button>
        <p className={p['soft']}>No photos at hand? Six of a small toy.</p>
      </div>
    </>
  );
}

function Problems() {
  const app = useApp();
  const problems = useStore(app.workspace, (workspace) => workspace.problems);
  return (
    <div role="status" aria-label="Photos not added" className={s['status']}>
      {problems.length > 0 && (
        <div className={s['problems']}>
          {problems.map((problem) => (
            <p key={problem.id} className={p['warn']}>
              {describeProblem(problem)}
            </p>
          ))}
          <div>
            <Button look="quiet" onPress={() => dismissProblems(app)}>
              Dismiss
            </Button>
          </div>
        </div>
      )}
    </div>
  );
}

function describeProblem(problem: PhotoProblem): string {
  switch (problem.kind) {
    case 'failure':
      return describeFailure(problem.failure).text;
    case 'duplicate':
      return problem.file === problem.of
        ? `“${problem.file}” is here already, so it was not added again.`
        : `“${problem.file}” is the same photo as “${problem.of}”, so it was not added again.`;
    case 'too-many':
      return `“${problem.file}” was not added: a subject takes 100 photos at most.`;
  }
}
