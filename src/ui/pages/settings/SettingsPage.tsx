// Settings: the key, what the engine runs on, what this browser keeps, the endpoint, and what the engine is.
import { useStore } from 'zustand';
import { chooseCompute } from '../../../state/engine';
import { isTraining } from '../../../state/training-state';
import { useApp } from '../../app-context';
import { RadioCards } from '../../components/RadioCards';
import p from '../page.module.css';
import { EndpointPanel } from './EndpointPanel';
import { EngineDetails } from './EngineDetails';
import { KeyPanel } from './KeyPanel';
import { StoragePanel } from './StoragePanel';

const choices = [
  { value: 'automatic', label: 'Automatic', hint: 'The GPU where there is one, else the processor.' },
  { value: 'webgpu', label: 'WebGPU', hint: 'The GPU, or a message that there is none.' },
  { value: 'wasm', label: 'WebAssembly', hint: 'The processor. Slower, works everywhere.' },
] as const;

/** The place Settings. */
export function SettingsPage() {
  const app = useApp();
  const compute = useStore(app.engine, (engine) => engine.compute);
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
              cards={choices}
              value={compute}
              isDisabled={isLocked}
              onChange={(value) => void chooseCompute(app, value)}
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
