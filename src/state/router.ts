// The router of this page, with the key of the keyring. Loaded after the page is up: nothing before the first question needs it.
import { openRouterApi } from '../router/address';
import type { Router } from '../router/router';
import { changeRouterRecord, readRouterRecord } from '../storage/router-records';
import type { App } from './app';
import { attempt } from './attempt';
import { openEndpoint } from './endpoint';

/** Makes the router and opens the endpoint that leads to it. */
export async function openRouter(app: App): Promise<void> {
  const router = await attempt(app, () => loadRouter(app));
  if (router === undefined) return;
  app.router.setState(router, true);
  await openEndpoint(app, (request) => router.fetch(request));
}

async function loadRouter({ services, keyring }: App): Promise<Router> {
  const { createRouter } = await import('../router/router');
  const { origin, pathname } = new URL(services.pageUrl());
  return createRouter({
    fetch: services.fetch,
    upstream: openRouterApi,
    apiKey: () => keyring.key,
    now: services.now,
    random: () => Math.random(),
    sleep,
    store: { get: readRouterRecord, update: changeRouterRecord },
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
