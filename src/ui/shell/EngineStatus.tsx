// What the page computes on: backend, model, memory in use; progress while the model loads.
import { useStore } from 'zustand';
import { memoryTotal, type EngineState } from '../../state/engine-state';
import { isTraining } from '../../state/training-state';
import { useApp } from '../app-context';
import { ProgressBar } from '../components/ProgressBar';
import { formatBytes } from '../format';
import s from './Shell.module.css';

export const backendNames = { webgpu: 'WebGPU', wasm: 'WebAssembly' } as const;

/** The status "Engine". Figures change silently; stages are announced elsewhere. */
export function EngineStatus() {
  const app = useApp();
  const engine = useStore(app.engine);
  const isBusy = useStore(app.training, isTraining);
  const isDrawing = useStore(app.drawing, ({ phase }) => phase === 'running');
  return (
    <div role="status" aria-label="Engine" aria-live="off" className={s['engine']}>
      <p className={s['engineTop']}>
        <span className={s['dot']} data-phase={engine.phase} data-busy={isBusy || isDrawing} />
        {title(engine)}
      </p>
      <p className={`${s['soft']} ${s['engineLine']}`}>
        <span>{line(engine)}</span>
        {engine.phase === 'ready' && <span>{formatBytes(memoryTotal(engine.memory))} in use</span>}
      </p>
      {engine.phase === 'loading' && <ProgressBar label="Loading the model" value={loadedPart(engine)} />}
    </div>
  );
}

function title(engine: EngineState): string {
  if (engine.phase === 'opening') return 'Starting';
  if (engine.phase === 'failed') return 'Not running';
  return backendNames[engine.info.backend];
}

function line(engine: EngineState): string {
  switch (engine.phase) {
    case 'opening':
      return 'Opening the engine';
    case 'failed':
      return 'See the message on the page';
    case 'loading':
      if (engine.stage !== 'download' || engine.totalBytes === 0) return 'Preparing the model';
      return `Loading the model, ${formatBytes(engine.loadedBytes)} of ${formatBytes(engine.totalBytes)}`;
    case 'ready':
      return engine.model.name;
  }
}

const loadedPart = (engine: Extract<EngineState, { phase: 'loading' }>): number | undefined =>
  engine.stage === 'download' && engine.totalBytes > 0 ? engine.loadedBytes / engine.totalBytes : undefined;
