// Builds a page of the tests with the app's own settings and serves it with the app's own headers.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';

export type ServedPage = { readonly url: string; close(): Promise<void> };

/** A production build of e2e/<folder> in a temporary folder behind a server of its own. */
export async function servePage(folder: string, port: number): Promise<ServedPage> {
  const outDir = await mkdtemp(join(tmpdir(), `${folder}-`));
  const settings = {
    root: fileURLToPath(new URL(`./${folder}/`, import.meta.url)),
    configFile: fileURLToPath(new URL('../vite.config.ts', import.meta.url)),
    publicDir: false,
    logLevel: 'error',
  } as const;
  await build({ ...settings, build: { outDir, emptyOutDir: true } });
  const server = await preview({ ...settings, build: { outDir }, preview: { port } });
  return {
    url: server.resolvedUrls!.local[0]!,
    close: async () => {
      await server.close();
      await rm(outDir, { recursive: true });
    },
  };
}
