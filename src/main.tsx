// The composition root: workers, services, stores, page. A tab that comes back from signing in only passes its code on.
import './base/strict-parsing';
import { StrictMode, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { assertExists } from './base/assert';
import { createApp } from './state/app';
import { boot } from './state/boot';
import { browserServices } from './state/browser-services';
import { passOnSignIn, takeSignInAnswer } from './state/sign-in-return';
import { App } from './ui/App';
import { AppContext } from './ui/app-context';
import { SignInReturn } from './ui/SignInReturn';
import './ui/theme.css';

const handOverMs = 3000;

function startPage(): ReactNode {
  const app = createApp(
    browserServices({
      engine: () => new Worker(new URL('../workers/engine.worker.ts', import.meta.url), { type: 'module' }),
      codec: () => new Worker(new URL('../workers/codec.worker.ts', import.meta.url), { type: 'module' }),
      library: () => new Worker(new URL('../workers/library.worker.ts', import.meta.url), { type: 'module' }),
    }),
  );
  boot(app);
  return (
    <AppContext value={app}>
      <App />
    </AppContext>
  );
}

const answer = takeSignInAnswer(location, history);
const patience = () => new Promise<void>((resolve) => setTimeout(resolve, handOverMs));
const page = answer ? <SignInReturn isTaken={passOnSignIn(answer, patience())} /> : startPage();

createRoot(assertExists(document.getElementById('root'), 'the root element')).render(
  <StrictMode>{page}</StrictMode>,
);
