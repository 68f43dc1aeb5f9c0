// Vite plugin: workers/service-worker.ts as one plain script at a name that stays, beside the page: service-worker.js. Its scope is
// the page's folder, so it may not lie in assets/ under a hash as other scripts do. In development it is bundled when asked for.
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';

const fileName = 'service-worker.js';
const input = fileURLToPath(new URL('../workers/service-worker.ts', import.meta.url));

/** A classic script without imports: module service workers are not in every browser. */
async function bundle(minify: boolean): Promise<string> {
  const result = await build({
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    build: {
      write: false,
      target: 'es2023',
      minify,
      rolldownOptions: { input, output: { format: 'iife', entryFileNames: fileName } },
    },
  });
  const chunks = [result].flat().flatMap((built) => ('output' in built ? built.output : []));
  const [chunk, ...more] = chunks;
  if (chunk?.type !== 'chunk' || more.length > 0) throw new Error(`${fileName} must be one script`);
  return chunk.code;
}

export function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    configureServer(server) {
      server.middlewares.use(`/${fileName}`, (_request, response, next) => {
        bundle(false).then((code) => {
          response
            .writeHead(200, { 'Content-Type': 'text/javascript', 'Cache-Control': 'no-cache' })
            .end(code);
        }, next);
      });
    },
    async generateBundle() {
      this.emitFile({ type: 'asset', fileName, source: await bundle(true) });
    },
  };
}
