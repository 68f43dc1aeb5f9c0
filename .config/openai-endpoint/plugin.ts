// Vite plugin: the router as an OpenAI-compatible endpoint at /v1 of the development and the preview server, for Python, Go, curl, …
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { runnerImport, type Connect, type Plugin, type PreviewServer, type ViteDevServer } from 'vite';
import { openRouterApi } from '../../src/router/address.ts';
import { handle } from './handler.ts';
import type * as Routers from './routers.ts';
import type { LentKey } from './rules.ts';

export type PluginOptions = {
  readonly upstream?: string; // of tests: no setting and no request changes it
  readonly environment?: { readonly OPENROUTER_API_KEY?: string };
};

export function openaiEndpoint({
  upstream = openRouterApi,
  environment = process.env,
}: PluginOptions = {}): Plugin {
  // Loaded at the first request, and by Vite's module runner: the router is written for the page, in which imports have no extension.
  let loading: Promise<ReturnType<typeof Routers.createRouters>> | undefined;
  const load = async () => {
    const file = fileURLToPath(new URL('./routers.ts', import.meta.url));
    const { module } = await runnerImport<typeof Routers>(file, { configFile: false, logLevel: 'error' });
    return module.createRouters(upstream);
  };
  const routerFor = async (key: string) => (await (loading ??= load()))(key);

  const mount = (server: ViteDevServer | PreviewServer) => {
    const key = environment.OPENROUTER_API_KEY;
    const lent = key
      ? { key, bearer: `likeness-server.${randomBytes(32).toString('base64url')}` }
      : undefined;
    const endpoint: Connect.NextHandleFunction = (request, response) => {
      request.url = request.originalUrl ?? request.url; // with /v1, which connect cuts off
      void handle(request, response, { lent, routerFor });
    };
    // Before all of Vite's own: nothing of it, CORS headers least of all, may answer for the endpoint.
    server.middlewares.stack.unshift({ route: '/v1', handle: endpoint });
    server.httpServer?.once('listening', () => {
      const address = server.httpServer?.address();
      const port = typeof address === 'object' ? address?.port : undefined;
      server.config.logger.info(describe(port, lent));
    });
  };
  return { name: 'openai-endpoint', configureServer: mount, configurePreviewServer: mount };
}

function describe(port: number | undefined, lent: LentKey | undefined): string {
  const keys = lent
    ? `API key ${lent.bearer} (stands for OPENROUTER_API_KEY until this server stops), or an OpenRouter key`
    : 'API key: your OpenRouter key';
  return `  ➜  OpenAI-compatible endpoint: http://127.0.0.1:${port}/v1\n     ${keys}`;
}
