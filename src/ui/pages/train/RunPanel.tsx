// A run beside its photos: how far it is, the buttons, the curve, previews, checkpoints and the file to take away.
import { lazy, Suspense } from 'react';
import { useStore } from 'zustand';
import { editForm } from '../../../state/drawing';
import { pauseTraining, resumeTraining, stopTraining } from '../../../state/training';
import { isTraining } from '../../../state/training-state';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { FailureNote } from '../../components/FailureNote';
import { goTo } from '../../hooks/use-route';
import p from '../page.module.css';
import { CheckpointList } from './CheckpointList';
import { LossFigure } from './LossFigure';
import { PreviewStrip } from './PreviewStrip';
import { TrainingMonitor } from './TrainingMonitor';

const ExportMenu = lazy(() => import('./ExportMenu').then((m) => ({ default: m.ExportMenu })));

/** The panels beside a run. */
export function RunPanel() {
  const app = useApp();
  const training = useStore(app.training);
  const runId = useStore(app.workspace, ({ run }) => run.id);
  return (
    <>
      {training.phase === 'failed' && training.runId === runId && <FailureNote failure={training.failure} />}
      <section className={p['panel']} aria-labelledby="run-title">
        <h2 id="run-title" className="visually-hidden">
          Training
        </h2>
        <TrainingMonitor />
        <Controls />
        <LossFigure />
      </section>
      <PreviewStrip />
      <CheckpointList />
    </>
  );
}

function Controls() {
  const app = useApp();
  const training = useStore(app.training);
  const run = useStore(app.workspace, (workspace) => workspace.run);
  const isReady = useStore(app.engine, ({ phase }) => phase === 'ready');
  const canResume = run.settings !== undefined && run.step < run.settings.steps;
  if (isTraining(training))
    return (
      <div className={p['row']}>
        <Button isDisabled={training.phase === 'stopping'} onPress={() => pauseTraining(app)}>
          Pause
        </Button>
        <Button onPress={() => stopTraining(app)}>Stop</Button>
        {training.phase === 'stopping' && (
          <p className={p['soft']}>
            Keeping a checkpoint after this step… If nothing happens, press Stop again to end the engine.
          </p>
        )}
      </div>
    );
  return (
    <div className={p['row']}>
      {canResume && (
        <Button look="primary" isDisabled={!isReady} onPress={() => void resumeTraining(app)}>
          Resume
        </Button>
      )}
      {run.step > 0 && (
        <>
          <Button
            look={canResume ? 'plain' : 'primary'}
            icon="create"
            onPress={() => {
              editForm(app, { subjectId: run.id });
              goTo('create');
            }}
          >
            Draw it
          </Button>
          <Suspense fallback={<Button isDisabled>Export</Button>}>
            <ExportMenu subjectId={run.id} />
          </Suspense>
        </>
      )}
    </div>
  );
}
