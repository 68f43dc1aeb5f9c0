// One model of the hub: what it is and costs, what is under way, and the buttons that fit.
import { Suspense, useState } from 'react';
import { useStore } from 'zustand';
import { switchModel } from '../../../state/engine';
import { infoOf } from '../../../state/engine-state';
import {
  dismissModel,
  downloadModel,
  inspectModel,
  pauseModel,
  removeStoredModel,
  retryImport,
} from '../../../state/library';
import { hasRoom, parseHubAddress, type ModelRow } from '../../../state/library-state';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { FailureNote } from '../../components/FailureNote';
import { ConfirmDialog } from '../../components/lazy-dialogs';
import { ProgressBar } from '../../components/ProgressBar';
import { formatBytes } from '../../format';
import p from '../page.module.css';

type HubModelProps = {
  readonly row: ModelRow;
  readonly isUsed: boolean;
  readonly isBusy: boolean; // the engine cannot take another model now
  readonly isDecoder?: boolean | undefined; // nothing to draw with
};

/** A line of the list "Base models". */
export function HubModel(props: HubModelProps) {
  const app = useApp();
  const { row, isUsed, isDecoder = false } = props;
  const { id, task } = row;
  return (
    <li className={p['item']}>
      <div className={p['itemMain']}>
        <p>{id}</p>
        <p className={p['soft']}>{describe(row, isDecoder)}</p>
        <MemoryNote row={row} />
      </div>
      {(task?.phase === 'downloading' || task?.phase === 'importing') && (
        <div style={{ flex: '1 1 8rem' }}>
          <ProgressBar
            label={`${task.phase === 'importing' ? 'Copying' : 'Downloading'} ${id}`}
            value={task.totalBytes > 0 ? task.loadedBytes / task.totalBytes : undefined}
          />
        </div>
      )}
      {isUsed && (
        <span className={p['chip']} data-tone="good">
          In use
        </span>
      )}
      <div className={p['row']}>
        <Actions {...props} />
      </div>
      {task?.phase === 'failed' && (
        <div style={{ flex: '1 1 100%' }}>
          <FailureNote failure={task.failure} onDismiss={() => dismissModel(app, id)} />
        </div>
      )}
    </li>
  );
}

/** The line under the name: figures where they are known, else what the model is for. */
function describe({ note, stored, task }: ModelRow, isDecoder: boolean): string {
  const pixels = (resolution: number) => (isDecoder ? '' : ` · ${resolution} pixels`);
  if (task?.phase === 'inspecting') return 'Asking the hub…';
  if (task?.phase === 'importing' && task.totalBytes === 0) return 'Reading what it is…';
  if (task?.phase === 'downloading' || task?.phase === 'importing')
    return `${formatBytes(task.loadedBytes)} of ${formatBytes(task.totalBytes)}`;
  if (task?.phase === 'offered') {
    const { sizeBytes, storedBytes, license, resolution, freeBytes } = task.offer;
    const here = storedBytes > 0 ? `, ${formatBytes(storedBytes)} of it here already` : '';
    const free = freeBytes === undefined ? '' : ` · ${formatBytes(freeBytes)} free in this browser`;
    return `${formatBytes(sizeBytes)}${here} · ${license}${pixels(resolution)}${free}`;
  }
  if (!stored) return note;
  const { license, resolution } = stored.record.manifest;
  if (stored.isReady) return `${formatBytes(stored.sizeBytes)} · ${license}${pixels(resolution)}`;
  return `${formatBytes(stored.storedBytes)} of ${formatBytes(stored.sizeBytes)} are here`;
}

/** Said before gigabytes are fetched: whether this device holds the weights at all. */
function MemoryNote({ row: { task } }: { readonly row: ModelRow }) {
  const limit = useStore(useApp().engine, (engine) => infoOf(engine)?.memoryLimitBytes);
  if (task?.phase !== 'offered') return null;
  const { offer } = task;
  if (!hasRoom(offer))
    return (
      <p className={p['warn']}>
        This browser has no room for it: {formatBytes(offer.sizeBytes - offer.storedBytes)} are needed. Remove
        another model, or free space on the disk.
      </p>
    );
  if (limit === undefined || offer.sizeBytes <= limit) return null;
  return (
    <p className={p['warn']}>
      Its weights alone take {formatBytes(offer.sizeBytes)} of memory; one job may use {formatBytes(limit)} on
      this device. It will likely not run here.
    </p>
  );
}

function Actions({ row, isUsed, isBusy, isDecoder }: HubModelProps) {
  const app = useApp();
  const { id, task, stored } = row;
  if (task?.phase === 'inspecting' || task?.phase === 'importing')
    return <Button onPress={() => pauseModel(app, id)}>Cancel</Button>;
  if (task?.phase === 'downloading') return <Button onPress={() => pauseModel(app, id)}>Pause</Button>;
  const offer = task?.phase === 'offered' && !stored?.isReady ? task.offer : undefined;
  return (
    <>
      {task?.phase === 'failed' && task.files && (
        <Button look="primary" onPress={() => void retryImport(app, id)}>
          Try again
        </Button>
      )}
      {offer && (
        <Button look="primary" isDisabled={!hasRoom(offer)} onPress={() => void downloadModel(app, id)}>
          {`Download ${formatBytes(offer.sizeBytes - offer.storedBytes)}`}
        </Button>
      )}
      {!offer && stored && !stored.isReady && (
        <Button look="primary" onPress={() => void downloadModel(app, id)}>
          Continue
        </Button>
      )}
      {stored?.isReady && !isUsed && !isDecoder && (
        <Button isDisabled={isBusy} onPress={() => void switchModel(app, id)}>
          Use
        </Button>
      )}
      {!offer && !stored && parseHubAddress(id) && (
        <Button onPress={() => void inspectModel(app, { id, revision: 'main' })}>Look up size</Button>
      )}
      {offer && !stored && <Button onPress={() => dismissModel(app, id)}>Cancel</Button>}
      {stored && !isUsed && !(isDecoder && isBusy) && <RemoveButton row={row} isDecoder={isDecoder} />}
    </>
  );
}

function RemoveButton({ row: { id }, isDecoder }: Pick<HubModelProps, 'row' | 'isDecoder'>) {
  const app = useApp();
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <Button look="quiet" icon="remove" aria-label="Remove" onPress={() => setAsking(true)} />
      <Suspense>
        {isAsking && (
          <ConfirmDialog
            title={`Remove ${id}?`}
            action="Remove"
            onConfirm={() => void removeStoredModel(app, id)}
            onClose={() => setAsking(false)}
          >
            {isDecoder
              ? 'Its files leave this browser. Pictures are drawn as before; while they are, rough colours are shown.'
              : 'Its files leave this browser, but for those that another model shares. Subjects trained on it stay, and need it again to be drawn.'}
          </ConfirmDialog>
        )}
      </Suspense>
    </>
  );
}
