// Train: the saved subjects, the one on the workbench with its photos and settings, and its run.
import { useStore } from 'zustand';
import { startNewSubject } from '../../../state/subjects';
import { isTraining } from '../../../state/training-state';
import type { WorkRun } from '../../../state/workspace-state';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { FailureNote } from '../../components/FailureNote';
import p from '../page.module.css';
import { PhotoPanel } from './PhotoPanel';
import { RunPanel } from './RunPanel';
import { RunSummary } from './RunSummary';
import { SetupPanel } from './SetupPanel';
import { StartPanel } from './StartPanel';
import { SubjectStrip } from './SubjectStrip';

/** The place Train. */
export function TrainPage() {
  const app = useApp();
  const run = useStore(app.workspace, (workspace) => workspace.run);
  const saveFailure = useStore(app.workspace, (workspace) => workspace.saveFailure);
  const isBusy = useStore(app.training, isTraining);
  const isDraft = run.state === 'draft';
  const isEmpty = isDraft && run.photos.length === 0;
  return (
    <>
      <div className={p['head']}>
        <h1>{run.name || (isDraft ? 'Teach a subject' : 'Untitled')}</h1>
        <StateChip run={run} isBusy={isBusy} />
        <div className={p['headEnd']}>
          {!isBusy && !isEmpty && (
            <Button icon="add" onPress={() => void startNewSubject(app)}>
              New subject
            </Button>
          )}
        </div>
      </div>
      <SubjectStrip />
      {saveFailure && <FailureNote failure={saveFailure} />}
      <div className={p['columns']} data-run={!isDraft}>
        <div className={p['column']}>
          <PhotoPanel />
          {isDraft ? <SetupPanel /> : <RunSummary run={run} />}
        </div>
        <div className={`${p['column']} ${p['sticky']}`}>{isDraft ? <StartPanel /> : <RunPanel />}</div>
      </div>
    </>
  );
}

function StateChip({ run, isBusy }: { readonly run: WorkRun; readonly isBusy: boolean }) {
  if (run.state === 'draft') return null;
  const isWhole = run.settings !== undefined && run.step >= run.settings.steps;
  const [words, tone] = isBusy
    ? ['Training', 'accent']
    : run.state === 'ended'
      ? isWhole
        ? ['Trained', 'good']
        : ['Stopped', '']
      : run.state === 'failed'
        ? ['Failed', 'bad']
        : [run.state === 'paused' ? 'Paused' : 'Interrupted', ''];
  return (
    <span className={p['chip']} data-tone={tone}>
      {words}
    </span>
  );
}
