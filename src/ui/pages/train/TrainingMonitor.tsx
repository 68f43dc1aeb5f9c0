// The bar and the figures of the run: stage, step, loss, seconds per step, time left.
import { useStore } from 'zustand';
import { isTraining, secondsLeft, type TrainingProgress } from '../../../state/training-state';
import { useApp } from '../../app-context';
import { ProgressBar } from '../../components/ProgressBar';
import { formatDuration, formatLoss, formatSeconds } from '../../format';
import { stageNames } from '../../stage-names';
import p from '../page.module.css';
import s from './Train.module.css';

/** The progress bar "Training" and the status "Training status". Renders once per step, and is all that does. */
export function TrainingMonitor() {
  const app = useApp();
  const live = useStore(app.progress);
  const isLive = useStore(app.training, isTraining);
  const run = useStore(app.workspace, (workspace) => workspace.run);
  const rest: TrainingProgress = {
    stage: 'train',
    end: run.step,
    total: run.settings?.steps ?? run.step,
    step: run.step,
    steps: run.settings?.steps ?? run.step,
    loss: app.losses.losses.at(-1),
    secondsPerStep: undefined,
  };
  const progress = isLive && live ? live : rest;
  const part = progress.total > 0 ? progress.end / progress.total : undefined;
  const isTrainStage = progress.stage === 'train';
  const left = isLive ? secondsLeft(progress) : undefined;
  const stats = [
    ['Step', `${progress.step} / ${progress.steps}`],
    ['Loss', progress.loss === undefined ? '–' : formatLoss(progress.loss)],
    ['s/step', progress.secondsPerStep === undefined ? '–' : formatSeconds(progress.secondsPerStep)],
    ['Left', left === undefined ? '–' : formatDuration(left)],
  ] as const;
  return (
    <>
      <div className={s['monitorTop']}>
        <p className={s['percent']}>{part === undefined ? '…' : `${Math.floor(100 * part)} %`}</p>
        <p className={p['soft']}>
          {isLive ? stageWords(progress) : progress.step >= progress.steps ? 'All steps done' : 'Not running'}
        </p>
      </div>
      <ProgressBar
        label="Training"
        value={isLive && !isTrainStage && progress.end === 0 ? undefined : part}
        words={isTrainStage ? `Step ${progress.step} of ${progress.steps}` : stageNames[progress.stage]}
      />
      <div role="status" aria-label="Training status" aria-live="off" className={s['stats']}>
        {stats.map(([name, value]) => (
          <p key={name} className={s['stat']}>
            <span>{name} </span>
            <span>{value}</span>
          </p>
        ))}
      </div>
    </>
  );
}

function stageWords({ stage, end, total }: TrainingProgress): string {
  if (stage === 'train' || total <= 1) return `${stageNames[stage]}…`;
  return `${stageNames[stage]}: ${end} of ${total}`;
}
