// Generate and Stop.
import { useStore } from 'zustand';
import { generate, stopDrawing } from '../../../state/drawing';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import p from '../page.module.css';
import s from './Create.module.css';

/** The buttons; what keeps the first from working is said under it. */
export function DrawControls() {
  const app = useApp();
  const isRunning = useStore(app.drawing, ({ phase }) => phase === 'running');
  const phase = useStore(app.engine, (engine) => engine.phase);
  const isEmpty = useStore(app.form, ({ prompt }) => prompt.trim() === '');
  const isReady = phase === 'ready';
  return (
    <div>
      <div className={s['go']}>
        <Button
          look="primary"
          isDisabled={isRunning || !isReady || isEmpty}
          onPress={() => void generate(app)}
        >
          Generate
        </Button>
        {isRunning && <Button onPress={() => stopDrawing(app)}>Stop</Button>}
      </div>
      {!isReady && phase !== 'failed' && <p className={p['soft']}>The model is loading.</p>}
      {isReady && isEmpty && <p className={p['soft']}>Say what to draw first.</p>}
    </div>
  );
}
