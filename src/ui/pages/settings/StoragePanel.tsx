// What this browser keeps for the page, by kind, each with a button that removes it.
import { Suspense, useEffect, useState } from 'react';
import { useStore } from 'zustand';
import { refreshStored, removeStored, storedKindLabels, type KindUsage } from '../../../state/stored-things';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { ConfirmDialog } from '../../components/lazy-dialogs';
import { countOf, formatBytes } from '../../format';
import p from '../page.module.css';

/** The list of kinds. Nothing is removed while a run or a drawing needs it. */
export function StoragePanel({ isLocked }: { readonly isLocked: boolean }) {
  const app = useApp();
  const { kinds, browser } = useStore(app.stored);
  useEffect(() => void refreshStored(app), [app]);
  return (
    <section className={p['panel']} aria-labelledby="storage-title">
      <div className={p['panelHead']}>
        <h2 id="storage-title">Storage</h2>
        {browser && (
          <p className={p['soft']}>
            {formatBytes(browser.usedBytes)} of {formatBytes(browser.quotaBytes)} that the browser gives
          </p>
        )}
      </div>
      {kinds === undefined ? (
        <p className={p['soft']}>Measuring…</p>
      ) : (
        <ul aria-label="Storage" className={p['items']}>
          {kinds.map((usage) => (
            <Kind key={usage.kind} usage={usage} isLocked={isLocked} />
          ))}
        </ul>
      )}
      <p className={p['soft']}>
        {browser?.isPersistent === true
          ? 'The browser keeps this until you remove it.'
          : 'The browser may remove this when the disk is full. It is asked to keep it when you train.'}
      </p>
    </section>
  );
}

function Kind({ usage, isLocked }: { readonly usage: KindUsage; readonly isLocked: boolean }) {
  const app = useApp();
  const [isAsking, setAsking] = useState(false);
  const { kind, items, sizeBytes } = usage;
  const { label, hint } = storedKindLabels[kind];
  return (
    <li className={p['item']}>
      <div className={p['itemMain']}>
        <p>{label}</p>
        <p className={p['soft']}>{hint}</p>
      </div>
      <p className={p['soft']}>
        {items === 0
          ? 'None'
          : `${countOf(items, 'item')}${sizeBytes > 0 ? `, ${formatBytes(sizeBytes)}` : ''}`}
      </p>
      {items > 0 && (
        <Button
          look="quiet"
          icon="remove"
          isDisabled={isLocked}
          aria-label={`Remove ${label.toLowerCase()}`}
          onPress={() => setAsking(true)}
        />
      )}
      <Suspense>
        {isAsking && (
          <ConfirmDialog
            title={`Remove ${label.toLowerCase()}?`}
            action="Remove"
            onConfirm={() => void removeStored(app, kind)}
            onClose={() => setAsking(false)}
          >
            {hint} This cannot be undone.
          </ConfirmDialog>
        )}
      </Suspense>
    </li>
  );
}
