// The page: rail, the present place, and what lies over all of them.
import { lazy, Suspense, useCallback, useState } from 'react';
import { useStore } from 'zustand';
import { dismissNotice } from '../state/attempt';
import { useApp } from './app-context';
import { Button } from './components/Button';
import { FailureNote } from './components/FailureNote';
import { KeysDialog } from './components/lazy-dialogs';
import { useRoute, type Place } from './hooks/use-route';
import { TrainPage } from './pages/train/TrainPage';
import { Announcer } from './shell/Announcer';
import { EngineStatus } from './shell/EngineStatus';
import { MainNav } from './shell/MainNav';
import s from './shell/Shell.module.css';
import { useShortcuts } from './shell/use-shortcuts';
import { useTitle } from './shell/use-title';

const pages: Readonly<Record<Place, React.ComponentType>> = {
  train: TrainPage,
  create: lazy(() => import('./pages/create/CreatePage').then((m) => ({ default: m.CreatePage }))),
  chat: lazy(() => import('./pages/chat/ChatPage').then((m) => ({ default: m.ChatPage }))),
  models: lazy(() => import('./pages/models/ModelsPage').then((m) => ({ default: m.ModelsPage }))),
  settings: lazy(() => import('./pages/settings/SettingsPage').then((m) => ({ default: m.SettingsPage }))),
};

/** The whole page. */
export function App() {
  const place = useRoute();
  const [areKeysOpen, setKeysOpen] = useState(false);
  useShortcuts(useCallback(() => setKeysOpen(true), []));
  useTitle();
  const Page = pages[place];
  return (
    <div className={s['shell']}>
      <a className={s['skip']} href="#main" onClick={skipToMain}>
        Skip to the content
      </a>
      <header className={s['rail']}>
        <p className={s['brand']}>
          <Mark />
          <span className={s['brandName']}>Likeness</span>
        </p>
        <MainNav />
        <div className={s['foot']}>
          <div className={s['keys']}>
            <Button look="quiet" onPress={() => setKeysOpen(true)}>
              Keys <kbd className="numbers">?</kbd>
            </Button>
          </div>
          <EngineStatus />
        </div>
      </header>
      <main id="main" tabIndex={-1} className={s['main']}>
        <div className={s['mainInner']}>
          <EngineFailure />
          <Suspense>
            <Page />
          </Suspense>
        </div>
      </main>
      <Notice />
      <Announcer />
      <Suspense>{areKeysOpen && <KeysDialog onClose={() => setKeysOpen(false)} />}</Suspense>
    </div>
  );
}

/** The address holds the place, so the link may not change it. */
function skipToMain(event: React.MouseEvent): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

const Mark = () => (
  <svg width="24" height="24" viewBox="0 0 32 32" aria-hidden="true">
    <rect x="3" y="3" width="18" height="18" rx="4" fill="currentColor" />
    <rect x="11.5" y="11.5" width="17" height="17" rx="4" fill="none" stroke="currentColor" strokeWidth="3" />
  </svg>
);

function EngineFailure() {
  const engine = useStore(useApp().engine);
  if (engine.phase !== 'failed') return null;
  return (
    <div style={{ marginBottom: 'var(--space-4)' }}>
      <FailureNote failure={engine.failure} />
    </div>
  );
}

function Notice() {
  const app = useApp();
  const notice = useStore(app.notice);
  return notice ? (
    <div className={s['notice']}>
      <FailureNote failure={notice} onDismiss={() => dismissNotice(app)} />
    </div>
  ) : null;
}
