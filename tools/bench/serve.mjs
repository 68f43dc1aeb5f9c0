// Builds a page with Vite into a folder of its own and serves that build, cross-origin isolated.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, preview } from 'vite';

/** Builds and serves; `config` is Vite's inline config. Answers the address, the folder, and `close`. */
export async function serveBuild(config) {
  const folder = await mkdtemp(join(tmpdir(), 'likeness-bench-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const whole = {
      ...config,
      logLevel: 'error',
      build: { ...config.build, outDir: folder, emptyOutDir: true },
      preview: { ...config.preview, port: 4200, strictPort: false, open: false },
    };
    await build(whole);
    const server = await preview(whole);
    return {
      url: server.resolvedUrls.local[0],
      folder,
      close: async () => {
        await server.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
