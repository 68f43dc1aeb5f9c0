// What the draft will cost, asked of the engine whenever something that matters changes; only the newest answer counts.
import type { App } from './app';
import { toFailure } from './failure';
import { badSettings } from './training-settings';

/** Keeps `workspace.estimate` up to date until the returned function is called. */
export function watchEstimate(app: App): () => void {
  let isAsking = false;
  let asked: string | undefined;

  const refresh = async () => {
    if (isAsking) return;
    isAsking = true;
    try {
      for (let next = question(app); next && next.key !== asked; next = question(app)) {
        asked = next.key;
        await ask(app, next);
      }
    } finally {
      isAsking = false;
    }
  };
  const leave = [
    app.workspace.subscribe(() => void refresh()),
    app.engine.subscribe((state, before) => {
      if (state.phase !== before.phase) asked = undefined; // another engine, another answer
      void refresh();
    }),
  ];
  void refresh();
  return () => {
    for (const unsubscribe of leave) unsubscribe();
  };
}

function question(app: App) {
  const engine = app.engine.getState();
  const { run, isOpened } = app.workspace.getState();
  if (engine.phase !== 'ready' || !isOpened || run.state !== 'draft' || !run.settings) return undefined;
  if (badSettings(run.settings, engine.model).length > 0) return undefined;
  const request = { settings: run.settings, photos: run.photos.length };
  return { engine, request, key: JSON.stringify(request) };
}

async function ask(app: App, { engine, request }: NonNullable<ReturnType<typeof question>>): Promise<void> {
  try {
    const estimate = await engine.client.estimate(request);
    app.workspace.setState({ estimate: { phase: 'known', estimate } });
  } catch (error) {
    app.workspace.setState({ estimate: { phase: 'failed', failure: toFailure(error) } });
  }
}
