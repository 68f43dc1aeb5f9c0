// What happens at page start: kept things are read, the engine opens, and the stores that follow others begin to.
import type { App } from './app';
import { attempt } from './attempt';
import { openChat } from './chat';
import { openEngine, refreshEngine } from './engine';
import { watchEstimate } from './estimate';
import { openGallery } from './gallery';
import { openHubToken, refreshLibrary } from './library';
import { openKey } from './openrouter-key';
import { refreshSubjects } from './subjects';
import { openWorkspace, useModelDefaults } from './workspace';

/** How often the figure of the memory in use is read. */
const memoryEveryMs = 4000;

/** The router comes after the engine's runtime: nothing before the first question needs it. */
function openRouterLater(app: App): void {
  const leave = app.engine.subscribe(({ phase }) => {
    if (phase === 'opening') return;
    leave();
    void attempt(app, async () => {
      const { openRouter } = await import('./router');
      await openRouter(app);
    });
  });
}

/** Starts the page. Everything goes on by itself; failures stand in the stores. */
export function boot(app: App): void {
  app.engine.subscribe((state, before) => {
    if (state.phase !== 'ready' || before.phase === 'ready') return;
    useModelDefaults(app);
    void refreshEngine(app);
  });
  watchEstimate(app);
  openRouterLater(app);
  void openEngine(app);
  void openWorkspace(app).then(() => refreshSubjects(app));
  void openGallery(app);
  void openChat(app);
  void openHubToken(app);
  void refreshLibrary(app);
  void openKey(app);
  setInterval(() => void refreshEngine(app), memoryEveryMs);
}
