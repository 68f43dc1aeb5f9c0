// What the run will cost: memory against what the device gives, time from a measured step, size of the file.
import { useStore } from 'zustand';
import type { TrainingEstimate, TrainingSettings } from '../../../state/workspace-state';
import { useApp } from '../../app-context';
import { FailureNote } from '../../components/FailureNote';
import { countOf, formatBytes, formatDuration } from '../../format';
import p from '../page.module.css';
import s from './Train.module.css';

/** The costs, once the engine has told them. */
export function Preflight() {
  const app = useApp();
  const state = useStore(app.workspace, ({ estimate }) => estimate);
  const settings = useStore(app.workspace, ({ run }) => run.settings);
  if (state.phase === 'failed') return <FailureNote failure={state.failure} />;
  if (state.phase === 'none' || !settings)
    return <p className={p['soft']}>The costs are worked out as soon as the model is loaded.</p>;
  return <Costs estimate={state.estimate} settings={settings} />;
}

type CostsProps = { readonly estimate: TrainingEstimate; readonly settings: TrainingSettings };

function Costs({ estimate, settings }: CostsProps) {
  const { memoryBytes, memoryLimitBytes, secondsTotal, loraFileBytes, trainedParameters, fits } = estimate;
  const part = Math.min(1, memoryBytes / memoryLimitBytes);
  return (
    <dl className={p['facts']}>
      <dt>Memory</dt>
      <dd>
        {formatBytes(memoryBytes)} of {formatBytes(memoryLimitBytes)}
      </dd>
      <div className={s['memory']} data-fits={fits} aria-hidden="true">
        <div style={{ height: '0.3rem', borderRadius: '1rem', background: 'var(--sunken)' }}>
          <div
            style={{
              height: '100%',
              width: `${100 * part}%`,
              borderRadius: 'inherit',
              background: fits ? 'var(--accent)' : 'var(--bad)',
            }}
          />
        </div>
      </div>
      <dt>Time</dt>
      <dd>
        {secondsTotal === undefined ? 'known after the first steps' : `about ${formatDuration(secondsTotal)}`}
      </dd>
      <dt>Class pictures</dt>
      <dd>
        {settings.priorPreservation ? `${countOf(settings.classImages, 'picture')} drawn first` : 'none'}
      </dd>
      <dt>LoRA file</dt>
      <dd>
        {formatBytes(loraFileBytes)}, {(trainedParameters / 1e6).toFixed(2)} M weights
      </dd>
    </dl>
  );
}
