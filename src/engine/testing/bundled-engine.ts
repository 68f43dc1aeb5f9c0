// The whole engine with the bundled model in Node.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineApi } from '../contract';
import { createEngine } from '../engine';
import { bundledFolder, openInNode } from './bundled';
import { decodePngInNode, encodePngInNode } from './png';

const base = new URL('https://example.org/');
const readBundled: typeof fetch = async (request) => {
  const url = request instanceof Request ? request.url : String(request);
  return new Response(await readFile(join(bundledFolder, url.slice(`${base.href}models/bundled/`.length))));
};

/** An engine as after a page load, with the bundled model in it. */
export async function openBundledEngine(): Promise<EngineApi> {
  const source = { fetch: readBundled, root: () => Promise.resolve(undefined) };
  const engine = createEngine(base, {
    openRuntime: openInNode,
    source,
    encodePng: encodePngInNode,
    decodePicture: decodePngInNode,
    now: () => performance.now(),
  });
  await engine.loadModel({ modelId: 'bundled' }, () => {}, new AbortController().signal);
  return engine;
}
