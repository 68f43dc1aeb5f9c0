// The composition root: workers, services, stores, page.
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { assertExists } from './base/assert';
import { createApp } from './state/app';
import { boot } from './state/boot';
import { browserServices } from './state/browser-services';
import { App } from './ui/App';
import { AppContext } from './ui/app-context';
import './ui/theme.css';

const app = createApp(
  browserServices({
    engine: () => new Worker(new URL('../workers/engine.worker.ts', import.meta.url), { type: 'module' }),
    codec: () => new Worker(new URL('../workers/codec.worker.ts', import.meta.url), { type: 'module' }),
    library: () => new Worker(new URL('../workers/library.worker.ts', import.meta.url), { type: 'module' }),
  }),
);
boot(app);

createRoot(assertExists(document.getElementById('root'), 'the root element')).render(
  <StrictMode>
    <AppContext value={app}>
      <App />
    </AppContext>
  </StrictMode>,
);
