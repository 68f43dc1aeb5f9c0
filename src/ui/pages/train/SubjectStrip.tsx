// The saved subjects in a row; one whose tab was closed in the middle is offered to go on.
import { useStore } from 'zustand';
import { openSubject } from '../../../state/subjects';
import { continueRun } from '../../../state/training';
import { isTraining } from '../../../state/training-state';
import type { RunSubject, Subject } from '../../../state/subjects-state';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { Icon } from '../../components/Icon';
import { Picture } from '../../components/Picture';
import { SubjectActions } from '../../components/SubjectActions';
import s from './Train.module.css';

/** The list "Subjects"; nothing where there is none. */
export function SubjectStrip() {
  const app = useApp();
  const subjects = useStore(app.subjects);
  const current = useStore(app.workspace, ({ run }) => run.id);
  const isBusy = useStore(app.training, isTraining);
  // the draft on the workbench is not saved away yet
  const listed = subjects.filter(
    (subject) => subject.kind === 'lora' || subject.state !== 'draft' || subject.id !== current,
  );
  if (listed.length === 0) return null;
  return (
    <ul className={s['subjects']} aria-label="Subjects">
      {listed.map((subject) => (
        <SubjectItem key={subject.id} subject={subject} isCurrent={subject.id === current} isBusy={isBusy} />
      ))}
    </ul>
  );
}

type SubjectItemProps = { readonly subject: Subject; readonly isCurrent: boolean; readonly isBusy: boolean };

function SubjectItem({ subject, isCurrent, isBusy }: SubjectItemProps) {
  const app = useApp();
  const isRun = subject.kind === 'run';
  const isInterrupted = isRun && subject.activity === 'interrupted';
  return (
    <li
      className={s['subject']}
      data-current={isCurrent}
      data-activity={isRun ? subject.activity : undefined}
    >
      {isRun ? (
        <Picture blob={subject.thumbnail} alt="" className={s['subjectThumb']} />
      ) : (
        <span className={s['subjectThumb']} style={{ display: 'grid', placeItems: 'center' }}>
          <Icon name="models" size={24} />
        </span>
      )}
      <div style={{ minWidth: 0 }}>
        <p className={s['subjectName']} title={subject.name}>
          {subject.name}
        </p>
        <p className={s['subjectState']}>{isRun ? stateOf(subject) : 'LoRA file'}</p>
        <div className={s['subjectActions']}>
          {isInterrupted && !isBusy && (
            <Button look="quiet" onPress={() => void continueRun(app, subject.id)}>
              Continue
            </Button>
          )}
          {isRun && !isCurrent && !isBusy && (
            <Button look="quiet" onPress={() => void openSubject(app, subject.id)}>
              Open
            </Button>
          )}
          <SubjectActions subject={subject} />
        </div>
      </div>
    </li>
  );
}

function stateOf({ activity, state, step, steps }: RunSubject): string {
  if (activity === 'here') return 'Training';
  if (activity === 'elsewhere') return 'Training in another tab';
  if (activity === 'interrupted') return `Interrupted at step ${step} of ${steps}`;
  if (state === 'draft') return 'Draft';
  if (state === 'failed') return `Failed after step ${step}`;
  if (state === 'paused') return `Paused at step ${step} of ${steps}`;
  return step >= steps ? `Trained, ${step} steps` : `Stopped at step ${step} of ${steps}`;
}
