// The list of base models: the bundled one, those in this browser, those that the hub has.
import { useEffect } from 'react';
import { useStore } from 'zustand';
import { bundledModelId, switchModel } from '../../../state/engine';
import type { EngineState } from '../../../state/engine-state';
import { refreshLibrary } from '../../../state/library';
import { modelRows } from '../../../state/library-state';
import { isTraining } from '../../../state/training-state';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { ProgressBar } from '../../components/ProgressBar';
import { formatBytes } from '../../format';
import p from '../page.module.css';
import { HubModel } from './HubModel';

/** The list "Base models". */
export function BaseModels() {
  const app = useApp();
  const engine = useStore(app.engine);
  const library = useStore(app.library);
  const isWorking = useStore(app.training, isTraining);
  const isDrawing = useStore(app.drawing, ({ phase }) => phase === 'running');
  useEffect(() => void refreshLibrary(app), [app]);
  const isBusy = isWorking || isDrawing || engine.phase !== 'ready';
  const usedId = engine.phase === 'ready' ? engine.model.id : undefined;
  return (
    <>
      <ul aria-label="Base models" className={p['items']}>
        <BundledModel engine={engine} isBusy={isBusy} />
        {modelRows(library).map((row) => (
          <HubModel key={row.id} row={row} isUsed={row.id === usedId} isBusy={isBusy} />
        ))}
      </ul>
      {(isWorking || isDrawing) && (
        <p className={p['tip']}>
          {isWorking ? 'Pause training' : 'Stop drawing'} to use another model: the present one makes room.
        </p>
      )}
    </>
  );
}

/** The model that comes with the page; while the engine loads one, whichever it is, its progress stands here. */
function BundledModel({ engine, isBusy }: { readonly engine: EngineState; readonly isBusy: boolean }) {
  const app = useApp();
  const model = engine.phase === 'ready' && engine.model.id === bundledModelId ? engine.model : undefined;
  const loading = engine.phase === 'loading' ? engine : undefined;
  const known = loading && loading.totalBytes > 0 ? loading : undefined;
  return (
    <li className={p['item']}>
      <div className={p['itemMain']}>
        <p>{model?.name ?? 'Bundled model'}</p>
        <p className={p['soft']}>
          {model
            ? `${formatBytes(model.sizeBytes)} · ${model.license} · ${model.resolution} pixels`
            : known
              ? `${formatBytes(known.loadedBytes)} of ${formatBytes(known.totalBytes)}`
              : 'Comes with the page; small, and works without a connection.'}
        </p>
      </div>
      {loading && (
        <div style={{ flex: '1 1 8rem' }}>
          <ProgressBar label="Loading the model" value={known && known.loadedBytes / known.totalBytes} />
        </div>
      )}
      {model && (
        <span className={p['chip']} data-tone="good">
          In use
        </span>
      )}
      {engine.phase === 'ready' && !model && (
        <Button isDisabled={isBusy} onPress={() => void switchModel(app, bundledModelId)}>
          Use
        </Button>
      )}
    </li>
  );
}
