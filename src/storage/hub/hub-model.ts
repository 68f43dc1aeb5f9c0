// A model repository of the hub at one commit: what it is, its files with sizes and hashes, and reading one. `@huggingface/hub`
// speaks to the hub's API; files are asked for by their "resolve" address, which serves Xet, LFS and plain ones alike, by range.
import { downloadFile, listFiles, modelInfo } from '@huggingface/hub';
import { z } from 'zod';
import { AppError } from '../../base/errors';
import type { HubAddress } from './hub-address';
import { hubOrigin } from './hub-fetch';

/** A file of a repository at one commit. */
export type HubFile = {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string | undefined; // of large files (LFS and Xet); small ones are in git itself
  readonly gitId: string; // git's name of the blob: for small files the hash of the content
};

export type HubModel = {
  readonly id: string; // as the hub spells it
  readonly commit: string; // 40 hex digits: what is asked for later cannot change
  readonly license: string; // '' where the hub names none
  readonly isGated: boolean;
  readonly files: readonly HubFile[];
};

/** Where a file of a model is served. */
export const hubFileUrl = (id: string, commit: string, path: string): string =>
  `${hubOrigin}/${id}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`;

const infoSchema = z.object({
  name: z.string(),
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  gated: z.union([z.literal(false), z.string()]).optional(),
  cardData: z.object({ license: z.string().optional().catch(undefined) }).optional(),
});
const entrySchema = z.object({
  type: z.string(),
  path: z.string(),
  size: z.int().min(0),
  oid: z.string(),
  lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.int().min(0) }).optional(),
});

/** Asks the hub for a model; `fetch` is a hub fetch. Throws its AppErrors, and AppError('hub-unreachable') for an answer that is none. */
export async function findHubModel(
  { id, revision }: HubAddress,
  fetch: typeof globalThis.fetch,
): Promise<HubModel> {
  const info = read(
    infoSchema,
    id,
    await modelInfo({ name: id, revision, additionalFields: ['sha', 'cardData'], fetch }).catch(
      asFailure(id),
    ),
  );
  const files: HubFile[] = [];
  const entries = listFiles({
    repo: { type: 'model', name: info.name },
    revision: info.sha,
    recursive: true,
    fetch,
  });
  try {
    for await (const listed of entries) {
      const { type, path, size, oid, lfs } = read(entrySchema, id, listed);
      if (type === 'file') files.push({ path, sizeBytes: lfs?.size ?? size, sha256: lfs?.oid, gitId: oid });
    }
  } catch (error) {
    asFailure(id)(error);
  }
  return {
    id: info.name,
    commit: info.sha,
    license: info.cardData?.license ?? '',
    isGated: typeof info.gated === 'string',
    files,
  };
}

function read<T>(schema: z.ZodType<T>, model: string, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new AppError('hub-unreachable', { model, reason: 'its answer is not understood' }, result.error);
}

/** An answer that is no JSON, say of a proxy's own page, is a hub that cannot be reached. */
const asFailure =
  (model: string) =>
  (error: unknown): never => {
    if (error instanceof SyntaxError) {
      throw new AppError('hub-unreachable', { model, reason: 'its answer is not understood' }, error);
    }
    throw error;
  };

type Whereabouts = Pick<HubModel, 'id' | 'commit'>;

/** The content of a small file, checked by git's hash (SHA-1 of "blob <size>\0" and the content) or by SHA-256 where the hub names it. */
export async function readHubFile(
  { id, commit }: Whereabouts,
  file: HubFile,
  fetch: typeof globalThis.fetch,
): Promise<Uint8Array<ArrayBuffer>> {
  const fail = (reason: 'size' | 'hash') =>
    new AppError('hub-wrong-file', { model: id, file: file.path, reason });
  const response = await fetch(hubFileUrl(id, commit, file.path));
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw new AppError('hub-unreachable', { model: id, file: file.path }, error);
  }
  if (bytes.length !== file.sizeBytes) throw fail('size');
  const isRight =
    file.sha256 === undefined
      ? (await digest('SHA-1', gitBlob(bytes))) === file.gitId
      : (await digest('SHA-256', bytes)) === file.sha256;
  if (!isRight) throw fail('hash');
  return bytes;
}

function gitBlob(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode(`blob ${bytes.length}\0`);
  const blob = new Uint8Array(head.length + bytes.length);
  blob.set(head);
  blob.set(bytes, head.length);
  return blob;
}

/** A hash in hex. */
export async function digest(name: 'SHA-1' | 'SHA-256', bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest(name, bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A large file as a Blob whose slices are read from the hub when they are asked for, and nothing else of it. */
export async function openHubFile(
  { id, commit }: Whereabouts,
  file: HubFile,
  fetch: typeof globalThis.fetch,
): Promise<Blob> {
  const blob = await downloadFile({
    repo: { type: 'model', name: id },
    path: file.path,
    revision: commit,
    downloadInfo: { url: hubFileUrl(id, commit, file.path), size: file.sizeBytes, etag: '' },
    xet: false,
    fetch: rangesOnly(id, file, fetch),
  });
  if (blob === null) throw new AppError('hub-missing', { model: id, file: file.path });
  return blob;
}

/** Answers with exactly the range that was asked for: a server that sends all of a file is stopped, not read to the end. */
function rangesOnly(model: string, file: HubFile, fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    if (!headers.has('Range')) headers.set('Range', `bytes=0-${file.sizeBytes - 1}`); // a slice from end to end
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.get('Range')!) ?? [];
    const response = await fetch(input, { ...init, headers });
    const bytes = response.status === 206 ? await response.arrayBuffer() : undefined;
    if (bytes?.byteLength === Number(last) - Number(first) + 1) return new Response(bytes);
    if (bytes === undefined) await response.body?.cancel();
    throw new AppError('hub-wrong-file', { model, file: file.path, reason: 'size' });
  };
}
