// Vite plugin: the page's Content Security Policy, as <meta> in the build, which works on any server, and as a header of the servers
// here, where it also covers the workers. It names every place that the page may talk to; README says what it cannot stop.
import { randomBytes } from 'node:crypto';
import type { Plugin } from 'vite';
import { openRouterSite } from '../src/router/address.ts';

const directives = {
  'default-src': ["'none'"],
  'script-src': ["'self'", "'wasm-unsafe-eval'"],
  'style-src': ["'self'", "'unsafe-inline'"], // React Aria and uPlot place things by style attributes
  'img-src': ["'self'", 'data:', 'blob:'],
  'font-src': ["'self'"],
  'worker-src': ["'self'"],
  'manifest-src': ["'self'"],
  // Hugging Face hands large files out from other hosts of its own: cdn-lfs*.huggingface.co, cas-bridge.xethub.hf.co, …
  'connect-src': [
    "'self'",
    openRouterSite,
    'https://huggingface.co',
    'https://*.huggingface.co',
    'https://*.hf.co',
  ],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
};

type Directives = Readonly<Record<string, readonly string[]>>;

const policyOf = (all: Directives): string =>
  Object.entries(all)
    .map(([name, sources]) => [name, ...sources].join(' '))
    .join('; ');

export function securityPolicy(): Plugin {
  return {
    name: 'security-policy',
    config: (_, { command, isPreview }) => {
      if (command === 'build') return {};
      const isDevelopment = isPreview !== true;
      // The development server has scripts in its page (React Refresh): each carries this.
      const nonce = isDevelopment ? randomBytes(16).toString('base64') : undefined;
      const scripts = [...directives['script-src'], ...(nonce === undefined ? [] : [`'nonce-${nonce}'`])];
      const headers = {
        'Content-Security-Policy': policyOf({
          ...directives,
          'script-src': scripts,
          'frame-ancestors': ["'none'"], // <meta> cannot say this
        }),
        'Referrer-Policy': 'no-referrer',
      };
      return {
        ...(nonce !== undefined && { html: { cspNonce: nonce } }),
        server: { headers },
        preview: { headers },
      };
    },
    transformIndexHtml: {
      order: 'post',
      handler: (_, { server }) =>
        server
          ? []
          : [
              {
                tag: 'meta',
                attrs: { 'http-equiv': 'Content-Security-Policy', content: policyOf(directives) },
                injectTo: 'head-prepend',
              },
              { tag: 'meta', attrs: { name: 'referrer', content: 'no-referrer' }, injectTo: 'head-prepend' },
            ],
    },
  };
}
