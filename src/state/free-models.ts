// What the router tells of itself, in a store: the free models with their health, the day's requests, stops.
import type { Router } from '../router/router';
import type { App } from './app';
import { attempt } from './attempt';

const maxAgeMs = 30 * 60_000;

/** Keeps the store up to date with the router. */
export function watchRouter(app: App, router: Router): void {
  app.free.setState({ status: router.status.get() });
  router.status.subscribe((status) => app.free.setState({ status }));
}

/** Reads the list where it is old or another key's, or where the person asks. It is shown only in Chat, so only Chat asks for it. */
export async function readModels(app: App, isForced = false): Promise<void> {
  const router = app.router.getState();
  const { status, isReading, readFor } = app.free.getState();
  const owner = ownerOf(app);
  const isOld = app.services.now() - (status?.listedAt ?? 0) > maxAgeMs;
  const isDue = isForced || isOld || readFor !== owner;
  if (router === undefined || isReading || !isDue) return;
  app.free.setState({ isReading: true, readFor: owner });
  await attempt(app, () => router.refresh());
  app.free.setState({ isReading: false });
  if (ownerOf(app) !== owner) await readModels(app); // the key changed meanwhile
}

const ownerOf = (app: App): string => app.key.getState().facts?.lastFour ?? '';

/** The person pressed "try again" on a stop. */
export function liftStops(app: App): void {
  app.router.getState()?.retryStopped();
}
