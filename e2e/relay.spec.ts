// The service worker's endpoint in a real browser: same-origin <base>/v1, relayed to the page that the token names.
import { expect, test, type BrowserContext, type Page } from '@playwright/test';
import { openPage } from './page';
import type { RelayPage } from './relay-page/page';
import { servePage, type ServedPage } from './serve-page';

type RelayWindow = Window & { readonly relayPage: RelayPage };
type Endpoint = { readonly baseUrl: string; readonly token: string };

let server: ServedPage;

test.beforeAll(async () => {
  server = await servePage('relay-page', 4181);
});
test.afterAll(() => server.close());

/** Opens the page and waits for its endpoint. */
async function openRelay(page: Page): Promise<Endpoint> {
  await page.goto(server.url);
  return page.evaluate(async () => {
    const { baseUrl, token } = await (window as unknown as RelayWindow).relayPage.relay;
    return { baseUrl, token };
  });
}

/** One request from `page`; the whole answer. */
const call = (
  page: Page,
  { baseUrl, token }: Endpoint,
  path = '/models',
  init: { method?: string; body?: string } = {},
) =>
  page.evaluate(
    async ([url, bearer, options]) => {
      const response = await fetch(url, { ...options, headers: { authorization: `Bearer ${bearer}` } });
      return { status: response.status, body: (await response.json()) as unknown };
    },
    [baseUrl + path, token, init] as const,
  );

/** Starts to read /stream in `page`; what arrives stands in its `read`, closed by "end" or by the error's name. */
const startReading = (page: Page, { baseUrl, token }: Endpoint) =>
  page.evaluate(
    ([url, bearer]) => {
      const { read } = (window as unknown as RelayWindow).relayPage;
      const follow = async () => {
        const response = await fetch(url, {
          method: 'POST',
          body: '{}',
          headers: { authorization: `Bearer ${bearer}` },
        });
        const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
        for (let part = await reader.read(); !part.done; part = await reader.read()) read.push(part.value);
      };
      follow().then(
        () => read.push('end'),
        (error: unknown) => read.push((error as Error).name),
      );
    },
    [`${baseUrl}/stream`, token] as const,
  );

const readBy = (page: Page) => page.evaluate(() => [...(window as unknown as RelayWindow).relayPage.read]);

const streamsOf = (page: Page) =>
  page.evaluate(() => (window as unknown as RelayWindow).relayPage.streams.map(({ isAborted }) => isAborted));

const commit = (page: Page) =>
  page.evaluate(() => (window as unknown as RelayWindow).relayPage.streams.at(-1)!.commit());

const send = (page: Page, chunk: string) =>
  page.evaluate((text) => (window as unknown as RelayWindow).relayPage.streams.at(-1)!.send(text), chunk);

/** Starts a stream and lets its first chunk arrive. */
async function startStream(client: Page, owner: Page, endpoint: Endpoint): Promise<void> {
  await startReading(client, endpoint);
  await expect.poll(() => streamsOf(owner)).toEqual([false]);
  await commit(owner);
  await send(owner, 'one');
  await expect.poll(() => readBy(client)).toEqual(['one']);
}

async function stopWorkers(context: BrowserContext, page: Page): Promise<void> {
  const session = await context.newCDPSession(page);
  await session.send('ServiceWorker.enable');
  await session.send('ServiceWorker.stopAllWorkers');
  await session.detach();
}

test('the app is under its worker, which leaves everything but /v1 alone', async ({ page }) => {
  await openPage(page);
  await expect
    .poll(() => page.evaluate(() => navigator.serviceWorker.controller?.scriptURL))
    .toMatch(/\/service-worker\.js$/);
  await page.reload(); // every file of the page now passes the worker
  await openPage(page);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  const statuses = await page.evaluate(() =>
    Promise.all(['v1/models', 'v10', 'index.html'].map(async (path) => (await fetch(path)).status)),
  );
  expect(statuses).toEqual([403, 200, 200]); // the server answers unknown paths with its page
});

test('a page that was just opened answers at its own /v1, to the end of the stream', async ({ page }) => {
  const endpoint = await openRelay(page);
  expect(endpoint.baseUrl).toBe(`${server.url}v1`);
  expect(await call(page, endpoint, '/images/generations', { method: 'POST', body: '{"a":1}' })).toEqual({
    status: 200,
    body: { method: 'POST', url: `${endpoint.baseUrl}/images/generations`, body: '{"a":1}' },
  });
  await startStream(page, page, endpoint);
  await send(page, 'two');
  await page.evaluate(() => (window as unknown as RelayWindow).relayPage.streams[0]!.close());
  await expect.poll(() => readBy(page)).toEqual(['one', 'two', 'end']);
});

test('another tab and a worker may call with the token; who has none, or navigates, may not', async ({
  page,
  context,
}) => {
  const endpoint = await openRelay(page);
  const other = await context.newPage();
  const own = await openRelay(other);
  expect(own.token).not.toBe(endpoint.token);
  expect((await call(other, endpoint)).status).toBe(200);
  const fromWorker = await page.evaluate(
    ([url, token]) => (window as unknown as RelayWindow).relayPage.callFromWorker(url, token),
    [`${endpoint.baseUrl}/models`, endpoint.token] as const,
  );
  expect(fromWorker).toBe(200);

  const forged = endpoint.token.replace(/.$/, (last) => (last === 'x' ? 'y' : 'x'));
  expect((await call(page, { ...endpoint, token: forged })).status).toBe(403);
  expect((await call(page, { ...endpoint, token: 'sk-or-v1-x' })).status).toBe(403);
  const navigation = await other.goto(`${endpoint.baseUrl}/models`);
  expect(navigation!.status()).toBe(403);
  expect(navigation!.fromServiceWorker()).toBe(true);
  expect(await navigation!.json()).toMatchObject({ error: { code: 'permission_denied' } });
});

test('a worker that was stopped is started by the next request', async ({ page, context }) => {
  const endpoint = await openRelay(page);
  await stopWorkers(context, page);
  expect((await call(page, endpoint)).status).toBe(200);
});

test('a worker stopped in mid-stream is an error for the client, and the upstream is closed', async ({
  page,
  context,
}) => {
  const endpoint = await openRelay(page);
  await startStream(page, page, endpoint);
  await stopWorkers(context, page);
  await expect.poll(() => readBy(page)).toEqual(['one', 'TypeError']);
  await expect.poll(() => streamsOf(page)).toEqual([true]); // told by the next ping
  expect((await call(page, endpoint)).status).toBe(200);
});

test('a page closed in mid-stream is an error for the client', async ({ page, context }) => {
  const endpoint = await openRelay(page);
  const client = await context.newPage();
  await openRelay(client);
  await startStream(client, page, endpoint);
  await page.close();
  await expect.poll(() => readBy(client)).toEqual(['one', 'TypeError']);
  expect((await call(client, endpoint)).status).toBe(403);
});

test('a client that goes away while it reads, or before, closes the upstream', async ({ page, context }) => {
  const endpoint = await openRelay(page);
  const client = await context.newPage();
  await openRelay(client);
  await startStream(client, page, endpoint);
  await client.reload();
  await expect.poll(() => streamsOf(page)).toEqual([true]);

  await openRelay(client);
  await startReading(client, endpoint);
  await expect.poll(() => streamsOf(page)).toEqual([true, false]);
  await client.reload(); // Chromium tells a worker of an abort only after the head
  await commit(page);
  await expect.poll(() => streamsOf(page)).toEqual([true, true]);
});
