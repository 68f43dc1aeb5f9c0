// A hub of our own for tests: the parts of huggingface.co that downloads use, on real sockets, and every way to fail that real ones
// know. Weights are "LFS" files behind a redirect to another host, as on the real hub; that host answers no preflight and shows
// no header to scripts, as its worst versions did (huggingface/datasets#7931).
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type HubRepo = {
  readonly id: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly license?: string;
  /** Only who sends this token gets files, and nobody else even sees the repository where it is private. */
  readonly token?: string;
  readonly isPrivate?: boolean;
};

/** What goes wrong with one request for a file, or for the API where the path is 'api'. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'break'; readonly afterBytes: number } // the connection goes away
  | { readonly kind: 'stall'; readonly afterBytes: number } // nothing more comes, and the line stays
  | { readonly kind: 'short'; readonly bytes: number } // a whole answer that is shorter than the list says
  | { readonly kind: 'long' } // one byte too many
  | { readonly kind: 'wrong' } // right length, other content
  | { readonly kind: 'no-ranges' } // all of it, whatever was asked for
  | { readonly kind: 'page' }; // a web page with status 200

type HubRequest = {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
};

export type Hub = {
  readonly port: number;
  readonly requests: HubRequest[];
  /** The next requests for `path` fail, each in the way of its turn; none do where none are given. */
  readonly fail: (path: string, ...faults: readonly Fault[]) => void;
  /** From now on bodies come at this speed; undefined = as fast as they can. */
  throttle: number | undefined; // bytes per second
  readonly close: () => Promise<void>;
};

type HubOptions = {
  readonly port?: number;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Where large files are redirected to; the same server answers there. */
  readonly cdn: (port: number) => string;
};

const sha = (name: 'sha1' | 'sha256', ...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash(name);
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};
const commitOf = (repo: HubRepo): string => sha('sha1', repo.id, ...repo.files.keys());
const isLarge = (path: string): boolean => /\.(safetensors|bin)$/.test(path);

/** Starts the server on 127.0.0.1. */
export async function startHub(repos: readonly HubRepo[], options: HubOptions): Promise<Hub> {
  const faults = new Map<string, Fault[]>();
  const listener: RequestListener = (request, response) => {
    answer(request, response).catch(() => response.destroy());
  };
  const server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const cdn = options.cdn(port);
  const hub: Hub = {
    port,
    requests: [],
    fail: (path, ...next) => void faults.set(path, [...next]),
    throttle: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return hub;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', headers } = request;
    const url = new URL(request.url ?? '/', 'http://hub');
    const { range, authorization, host = '' } = headers;
    hub.requests.push({ method, host, path: url.pathname, range, authorization });
    const isCdn = cdn.endsWith(`//${host}`);
    response.setHeader('Access-Control-Allow-Origin', '*');
    if (method === 'OPTIONS') {
      response.setHeader('Access-Control-Allow-Headers', 'authorization, range');
      return void response.writeHead(isCdn ? 403 : 204).end();
    }
    if (!isCdn) {
      response.setHeader(
        'Access-Control-Expose-Headers',
        'X-Repo-Commit, X-Error-Code, Link, ETag, Content-Range, X-Linked-Size, X-Linked-ETag',
      );
    }
    const [, file] = /\/(?:resolve|cdn)\/[0-9a-f]{40}\/(.+)$/.exec(url.pathname) ?? [];
    const isApi = url.pathname.startsWith('/api/');
    // A redirect is no failure: faults of large files happen where they lie.
    const fault = isApi || !file || isCdn || !isLarge(file) ? take(isApi ? 'api' : (file ?? '')) : undefined;
    if (fault?.kind === 'status') return void response.writeHead(fault.status, fault.headers).end('no');
    if (fault?.kind === 'page') {
      return void response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html>');
    }

    const id = /^\/(?:api\/models\/)?([^/]+\/[^/]+)/.exec(url.pathname)?.[1];
    const repo = repos.find((one) => one.id === id);
    const isKnown = authorization === `Bearer ${repo?.token}`;
    if (!repo || (repo.isPrivate && !isKnown)) {
      return void response.writeHead(authorization ? 404 : 401, { 'X-Error-Code': 'RepoNotFound' }).end();
    }
    if (isApi) return answerApi(repo, url, response);
    if (repo.token !== undefined && !isCdn && !isKnown) {
      return void response.writeHead(authorization ? 403 : 401, { 'X-Error-Code': 'GatedRepo' }).end();
    }
    const bytes = repo.files.get(decodeURIComponent(file ?? ''));
    if (!bytes) return void response.writeHead(404, { 'X-Error-Code': 'EntryNotFound' }).end();
    if (!isCdn && isLarge(file!)) {
      const location = `${cdn}/${repo.id}/cdn/${commitOf(repo)}/${file}`;
      return void response.writeHead(302, { Location: location }).end();
    }
    await send(bytes, range, fault, response);
  }

  function take(path: string): Fault | undefined {
    return faults.get(path)?.shift();
  }

  function answerApi(repo: HubRepo, url: URL, response: ServerResponse): void {
    const json = (value: unknown) =>
      void response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
    const commit = commitOf(repo);
    const [, what, revision] = /\/(revision|tree)\/(.+)$/.exec(url.pathname) ?? [];
    if (revision !== 'main' && revision !== commit) {
      return void response.writeHead(404, { 'X-Error-Code': 'RevisionNotFound' }).end();
    }
    if (what === 'revision') {
      const { id, license, token } = repo;
      return json({
        _id: '1',
        id,
        sha: commit,
        private: repo.isPrivate ?? false,
        gated: token !== undefined && !repo.isPrivate ? 'auto' : false,
        ...(license !== undefined && { cardData: { license } }),
        lastModified: '2026-01-01T00:00:00.000Z',
      });
    }
    const files = [...repo.files].map(([path, bytes]) => {
      const pointer = isLarge(path) ? Buffer.from(`pointer to ${path}`) : bytes;
      return {
        type: 'file',
        path,
        size: bytes.length,
        oid: sha('sha1', `blob ${pointer.length}\0`, pointer),
        ...(isLarge(path) && { lfs: { oid: sha('sha256', bytes), size: bytes.length, pointerSize: 130 } }),
      };
    });
    // Two pages, as long lists come.
    const cursor = url.searchParams.get('cursor');
    if (cursor === null) {
      const next = `https://huggingface.co${url.pathname}${url.search}&cursor=1`;
      response.setHeader('Link', `<${next}>; rel="next"`);
    }
    json(cursor === null ? files.slice(0, 4) : files.slice(4));
  }

  async function send(
    content: Uint8Array,
    range: string | undefined,
    fault: Fault | undefined,
    response: ServerResponse,
  ): Promise<void> {
    const [, first, last] =
      /^bytes=(\d+)-(\d*)$/.exec(fault?.kind === 'no-ranges' ? '' : (range ?? '')) ?? [];
    const from = Number(first ?? 0);
    if (first !== undefined && from >= content.length) return void response.writeHead(416).end();
    const to = last ? Math.min(Number(last) + 1, content.length) : content.length;
    let body = content.subarray(from, to);
    if (fault?.kind === 'short') body = body.subarray(0, fault.bytes);
    if (fault?.kind === 'long') body = Buffer.concat([body, Buffer.of(0)]);
    if (fault?.kind === 'wrong') body = Uint8Array.from(body, (byte, i) => (i === 99 ? byte ^ 1 : byte));
    response.writeHead(first === undefined ? 200 : 206, {
      'Content-Type': 'application/octet-stream',
      'Content-Length': body.length,
      ...(first !== undefined && { 'Content-Range': `bytes ${from}-${to - 1}/${content.length}` }),
    });
    const isCut = fault?.kind === 'break' || fault?.kind === 'stall';
    const end = isCut ? Math.min(fault.afterBytes, body.length) : body.length;
    const piece = 16 * 1024;
    const closed = once(response, 'close');
    for (let at = 0; at < end && !response.destroyed; at += piece) {
      const size = Math.min(piece, end - at);
      if (!response.write(body.subarray(at, at + size)))
        await Promise.race([once(response, 'drain'), closed]);
      if (hub.throttle !== undefined) await sleep((1000 * size) / hub.throttle);
    }
    if (!isCut) return void response.end();
    if (fault.kind === 'stall') return void (await closed);
    await sleep(20); // what was written goes out first
    response.destroy();
  }
}
