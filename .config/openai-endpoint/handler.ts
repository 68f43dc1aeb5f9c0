// The router behind a server of Node: requests in, the Response out as a stream at the speed of its reader, abort when they go.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as NodeStream } from 'node:stream/web';
import { refuse } from '../../src/router/refuse.ts';
import { admit, type LentKey } from './rules.ts';

const maxBodyBytes = 32 * 2 ** 20;

export type EndpointOptions = {
  readonly lent: LentKey | undefined;
  /** A router that uses `key`. Its fetch rejects on abort only. */
  readonly routerFor: (key: string) => Promise<{ fetch(request: Request): Promise<Response> }>;
};

/** Answers a request; what is asked of it must be at or under /v1. Never rejects. */
export async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  options: EndpointOptions,
): Promise<void> {
  const left = new AbortController();
  response.on('close', () => left.abort());
  try {
    await send(await answer(request, options, left.signal), response);
  } catch {
    response.destroy(); // the client left, or the stream broke: either way it must not look whole
  }
}

async function answer(
  request: IncomingMessage,
  { lent, routerFor }: EndpointOptions,
  signal: AbortSignal,
): Promise<Response> {
  const admitted = admit(request, lent);
  if ('refusal' in admitted) return refuse(admitted.refusal);
  const { method = 'GET', url = '/' } = request;
  const body = method === 'POST' ? await readBody(request) : null;
  if (body === undefined)
    return refuse({ status: 413, code: 'request_too_large', message: 'A request may have 32 MB.' });
  if (body !== null && asksForLocalModel(body)) {
    const message =
      'likeness/… models draw on the GPU of an open page, which this server cannot reach: use the endpoint of the page itself.';
    return refuse({ status: 400, code: 'model_not_available', message });
  }
  const headers: HeadersInit = body === null ? {} : { 'content-type': 'application/json' };
  // The router looks at the path alone; no name of a host that a client sent goes further.
  const address = new URL(url.replace(/^\/+/, '/'), 'http://localhost');
  const router = await routerFor(admitted.key);
  return router.fetch(new Request(address, { method, headers, body, signal }));
}

/** The whole body, or undefined for one that is too large, which is read to its end all the same: its sender listens only then. */
async function readBody(request: IncomingMessage): Promise<Buffer<ArrayBuffer> | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes <= maxBodyBytes) chunks.push(chunk);
  }
  return sizeBytes <= maxBodyBytes ? Buffer.concat(chunks) : undefined;
}

function asksForLocalModel(body: Buffer): boolean {
  if (!body.includes('likeness/')) return false;
  try {
    const parsed = JSON.parse(body.toString()) as { readonly model?: unknown } | null;
    return typeof parsed?.model === 'string' && parsed.model.startsWith('likeness/');
  } catch {
    return false; // the router says what is wrong with it
  }
}

async function send(answered: Response, response: ServerResponse): Promise<void> {
  response.statusCode = answered.status;
  for (const [name, value] of answered.headers) response.setHeader(name, value);
  response.setHeader('cache-control', 'no-store');
  response.flushHeaders(); // a stream's first chunk may be long in coming
  if (answered.body === null) response.end();
  else await pipeline(Readable.fromWeb(answered.body as NodeStream), response);
}
