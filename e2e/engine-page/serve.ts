// Builds the page of the engine's tests with the app's own settings and serves it with the app's own headers.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import { build, preview } from 'vite';
import type { Scenarios } from './scenarios';
import type { AskWorker } from './page';

export type EnginePage = { readonly url: string; close(): Promise<void> };

/** A production build in a temporary folder behind a server of its own. */
export async function serveEnginePage(): Promise<EnginePage> {
  const outDir = await mkdtemp(join(tmpdir(), 'engine-page-'));
  const settings = {
    root: fileURLToPath(new URL('.', import.meta.url)),
    configFile: fileURLToPath(new URL('../../vite.config.ts', import.meta.url)),
    publicDir: false,
    logLevel: 'error',
  } as const;
  await build({ ...settings, build: { outDir, emptyOutDir: true } });
  const server = await preview({ ...settings, build: { outDir }, preview: { port: 4180 } });
  return {
    url: server.resolvedUrls!.local[0]!,
    close: async () => {
      await server.close();
      await rm(outDir, { recursive: true });
    },
  };
}

/** Runs a scenario in a fresh worker of the page; throws what went wrong there. */
export async function ask<T extends Scenarios, Name extends keyof T & string>(
  page: Page,
  worker: 'runtime' | 'training',
  scenario: Name,
  input: Parameters<T[Name]>[0],
): Promise<Awaited<ReturnType<T[Name]>>> {
  const answer = await page.evaluate(
    ([name, question]) => (window as unknown as { askWorker: AskWorker }).askWorker(name, question),
    [worker, { scenario, input: input }] as const,
  );
  if ('failure' in answer) throw new Error(answer.failure);
  return answer.value as Awaited<ReturnType<T[Name]>>;
}
