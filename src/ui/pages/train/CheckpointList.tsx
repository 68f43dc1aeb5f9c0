// Kept weights of the run: to draw with, to take away, to remove.
import { lazy, Suspense } from 'react';
import { useStore } from 'zustand';
import { editForm } from '../../../state/drawing';
import { deleteCheckpoint } from '../../../state/subjects';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { formatBytes, formatDate } from '../../format';
import { goTo } from '../../hooks/use-route';
import p from '../page.module.css';

const ExportMenu = lazy(() => import('./ExportMenu').then((m) => ({ default: m.ExportMenu })));

/** The list "Checkpoints"; nothing before the first. */
export function CheckpointList() {
  const app = useApp();
  const checkpoints = useStore(app.workspace, (workspace) => workspace.checkpoints);
  const runId = useStore(app.workspace, ({ run }) => run.id);
  if (checkpoints.length === 0) return null;
  return (
    <section className={p['panel']} aria-labelledby="checkpoints-title">
      <h2 id="checkpoints-title">Checkpoints</h2>
      <ul aria-label="Checkpoints" className={p['items']}>
        {checkpoints.toReversed().map(({ step, savedAt, sizeBytes }) => (
          <li key={step} className={p['item']}>
            <div className={p['itemMain']}>
              <p>Step {step}</p>
              <p className={p['soft']}>
                {formatDate(savedAt)} · {formatBytes(sizeBytes)}
              </p>
            </div>
            <Button
              look="quiet"
              onPress={() => {
                editForm(app, { subjectId: runId, checkpointStep: step });
                goTo('create');
              }}
            >
              Use for drawing
            </Button>
            <Suspense>
              <ExportMenu subjectId={runId} checkpointStep={step} />
            </Suspense>
            <Button
              look="quiet"
              icon="remove"
              aria-label="Delete"
              onPress={() => void deleteCheckpoint(app, step)}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}
