// Vite plugin: the router as an OpenAI-compatible endpoint at /v1 of the development and the preview server, for Python, Go, curl, …
import { randomBytes } from 'node:crypto';
import type { Connect, Plugin, PreviewServer, ViteDevServer } from 'vite';
import { handle, type EndpointOptions } from './handler.ts';
import type { LentKey } from './rules.ts';

export type PluginOptions = {
  readonly routerFor: EndpointOptions['routerFor'];
  readonly environment?: { readonly OPENROUTER_API_KEY?: string };
};

export function openaiEndpoint({ routerFor, environment = process.env }: PluginOptions): Plugin {
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
