// What happens at page start: kept things are read, the engine opens, and the stores that follow others begin to.
import type { App } from './app';
import { openChat } from './chat';
import { openEngine, refreshEngine } from './engine';
import { watchEstimate } from './estimate';
import { openGallery } from './gallery';
import { openHubToken, refreshLibrary } from './library';
import { openKey } from './openrouter-key';
import { openRouter } from './router';
import { refreshSubjects } from './subjects';
import { openWorkspace, useModelDefaults } from './workspace';

/** How often the figure of the memory in use is read. */
const memoryEveryMs = 4000;

/** Starts the page. Everything goes on by itself; failures stand in the stores. */
export function boot(app: App): void {
  app.engine.subscribe((state, before) => {
    if (state.phase !== 'ready' || before.phase === 'ready') return;
    useModelDefaults(app);
    void refreshEngine(app);
  });
  watchEstimate(app);
  void openEngine(app);
  void openWorkspace(app).then(() => refreshSubjects(app));
  void openGallery(app);
  void openChat(app);
  void openHubToken(app);
  void refreshLibrary(app);
  void openKey(app);
  void openRouter(app);
  setInterval(() => void refreshEngine(app), memoryEveryMs);
}
