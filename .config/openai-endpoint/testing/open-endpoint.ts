// The whole way of a program outside the browser: Vite's preview server with the plugin and its routers, which ask the mock of
// OpenRouter over HTTPS.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { preview } from 'vite';
import { assert } from '../../../src/base/assert';
import { serveHttps } from '../../../src/router/testing/openrouter-mock/https-server';
import { createOpenRouterMock, type OpenRouterMock } from '../../../src/router/testing/openrouter-mock/mock';
import { openaiEndpoint } from '../plugin';

/** A fresh account at OpenRouter, and how to reach its models. */
export type Door = {
  readonly mock: OpenRouterMock;
  /** 'http://127.0.0.1:40123/v1' */
  readonly baseURL: string;
  /** A key that the mock knows and no other door has. */
  readonly apiKey: string;
  readonly draws: false;
};

export type OpenEndpoint = {
  /** The newest door is the one that OpenRouter stands behind. */
  readonly newDoor: () => Door;
  readonly close: () => Promise<void>;
};

const clock = {
  now: () => Date.now(),
  sleep: (ms: number, signal: AbortSignal): Promise<void> =>
    wait(Math.min(ms, 2 ** 31 - 1), undefined, { signal, ref: false }),
};

/** Opens all of it on free ports. The mock's certificate is its own, so the caller lets Node trust any. */
export async function openEndpoint(): Promise<OpenEndpoint> {
  let mock: OpenRouterMock | undefined;
  let doors = 0;
  const upstream = await serveHttps(async (request) => {
    assert(mock !== undefined, 'no door yet');
    return mock.handle(request);
  });
  const root = mkdtempSync(join(tmpdir(), 'endpoint-'));
  writeFileSync(join(root, 'index.html'), '<title>the page</title>');
  const server = await preview({
    root,
    configFile: false,
    logLevel: 'silent',
    build: { outDir: '.' },
    preview: { port: 0, host: '127.0.0.1' },
    plugins: [openaiEndpoint({ upstream: `${upstream.origin}/api/v1`, environment: {} })],
  });
  const { port } = server.httpServer.address() as AddressInfo;
  return {
    newDoor() {
      const firstKey = `sk-or-v1-door-${++doors}`;
      mock = createOpenRouterMock({ clock, account: { isUnlimited: true }, firstKey });
      return { mock, baseURL: `http://127.0.0.1:${port}/v1`, apiKey: firstKey, draws: false };
    },
    async close() {
      await server.close();
      await upstream.close();
      rmSync(root, { recursive: true });
    },
  };
}
