// The router of this page, with the key of the keyring. boot.ts loads this after the page is up.
import { openRouterApi } from '../router/address';
import { createRouter, type Router } from '../router/router';
import { changeRouterRecord, readRouterRecord } from '../storage/router-records';
import type { App } from './app';
import { openEndpoint } from './endpoint';
import { watchRouter } from './free-models';
import { createDraw } from './local-draw';

/** Makes the router and opens the endpoint that leads to it. */
export async function openRouter(app: App): Promise<void> {
  const router = makeRouter(app);
  app.router.setState(router, true);
  watchRouter(app, router);
  await openEndpoint(app, (request) => router.fetch(request));
}

function makeRouter(app: App): Router {
  const { services, keyring } = app;
  const { origin, pathname } = new URL(services.pageUrl());
  return createRouter({
    fetch: services.fetch,
    upstream: openRouterApi,
    apiKey: () => keyring.key,
    now: services.now,
    random: () => Math.random(),
    sleep,
    store: { get: readRouterRecord, update: changeRouterRecord },
    draw: createDraw(app),
    title: 'Likeness',
    referer: origin + pathname,
  });
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', leave);
      resolve();
    }, milliseconds);
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
}
