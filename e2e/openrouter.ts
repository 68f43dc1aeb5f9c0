// The shipped page against a mock of OpenRouter: the browser is told that openrouter.ai is this machine, nothing else is changed.
import { test as base } from '@playwright/test';
import { createOpenRouterMock, type OpenRouterMock } from '../src/router/testing/openrouter-mock/mock';
import { serveHttps } from '../src/router/testing/openrouter-mock/https-server';

/** The key of the mock's account, and what must be found nowhere. */
export const canary = `sk-or-v1-${'canary'.repeat(10)}0001`;

const clock = {
  now: () => Date.now(),
  sleep: (milliseconds: number, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      };
      const end = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const timer = Number.isFinite(milliseconds) ? setTimeout(end, milliseconds) : undefined;
      signal.addEventListener('abort', leave, { once: true });
    }),
};

type MockServer = { readonly port: number; mock: OpenRouterMock };

export const test = base.extend<{ openRouter: OpenRouterMock }, { mockServer: MockServer }>({
  mockServer: [
    async ({}, use) => {
      const make = () => createOpenRouterMock({ clock, firstKey: canary });
      const server: MockServer = { port: 0, mock: make() };
      const https = await serveHttps((request) => server.mock.handle(request));
      await use(Object.assign(server, { port: https.port }));
      await https.close();
    },
    { scope: 'worker' },
  ],
  browser: [
    async ({ playwright, mockServer }, use, { project }) => {
      const { launchOptions } = project.use;
      const browser = await playwright.chromium.launch({
        ...launchOptions,
        args: [
          ...(launchOptions?.args ?? []),
          `--host-resolver-rules=MAP openrouter.ai:443 127.0.0.1:${mockServer.port}`,
          '--ignore-certificate-errors',
        ],
      });
      await use(browser);
      await browser.close();
    },
    { scope: 'worker' },
  ],
  /** The mock of this test, new and unscripted. */
  openRouter: async ({ mockServer }, use) => {
    mockServer.mock = createOpenRouterMock({ clock, firstKey: canary });
    await use(mockServer.mock);
  },
});
