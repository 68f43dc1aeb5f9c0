// Settings: the key, what the engine runs on, what this browser keeps, the endpoint, and what the engine is.
import { useStore } from 'zustand';
import { chooseEngine } from '../../../state/engine';
import { isTraining } from '../../../state/training-state';
import { useApp } from '../../app-context';
import { RadioCards } from '../../components/RadioCards';
import p from '../page.module.css';
import { EndpointPanel } from './EndpointPanel';
import { EngineDetails } from './EngineDetails';
import { KeyPanel } from './KeyPanel';
import { StoragePanel } from './StoragePanel';

const computes = [
  { value: 'automatic', label: 'Automatic', hint: 'The GPU where there is one, else the processor.' },
  { value: 'webgpu', label: 'WebGPU', hint: 'The GPU, or a message that there is none.' },
  { value: 'wasm', label: 'WebAssembly', hint: 'The processor. Slower, works everywhere.' },
] as const;

const precisions = [
  {
    value: 'automatic',
    label: 'Automatic',
    hint: 'Draws with 16-bit numbers where the GPU is good at them: less memory.',
  },
  { value: 'full', label: 'Full', hint: 'Everything with 32-bit numbers, as training always is.' },
] as const;

/** The place Settings. */
export function SettingsPage() {
  const app = useApp();
  const compute = useStore(app.engine, (engine) => engine.compute);
  const precision = useStore(app.engine, (engine) => engine.precision);
  const isBusy = useStore(app.training, isTraining);
  const isDrawing = useStore(app.drawing, ({ phase }) => phase === 'running');
  const isLocked = isBusy || isDrawing;
  return (
    <>
      <div className={p['head']}>
        <h1>Settings</h1>
      </div>
      <div className={p['columns']}>
        <div className={p['column']}>
          <KeyPanel />
          <section className={p['panel']} aria-labelledby="compute-title">
            <h2 id="compute-title">Compute</h2>
            <RadioCards
              label="Compute"
              cards={computes}
              value={compute}
              isDisabled={isLocked}
              onChange={(value) => void chooseEngine(app, { compute: value })}
            />
            <h2>Precision</h2>
            <RadioCards
              label="Precision"
              cards={precisions}
              value={precision}
              isDisabled={isLocked}
              onChange={(value) => void chooseEngine(app, { precision: value })}
            />
            {isLocked && (
              <p className={p['tip']}>
                {isBusy ? 'Pause training' : 'Stop drawing'} to change this: the engine starts anew.
              </p>
            )}
          </section>
          <StoragePanel isLocked={isLocked} />
        </div>
        <div className={p['column']}>
          <EndpointPanel />
          <EngineDetails />
        </div>
      </div>
    </>
  );
}
