// Models of the hub and models in files, looked at and brought in. It runs in a worker of its own: a download neither waits for a training step nor ends
// when the engine is started anew.
import { serve } from '../base/job';
import { createHubFetch } from '../storage/hub/hub-fetch';
import { browserFreeBytes, downloadHubModel, type HubDownload } from '../storage/hub/download-hub-model';
import { loadModel, measureFiles, replaceModel, type ModelRecord } from '../storage/models';
import type { LibraryApi } from './contract';
import { importModel } from './import-model';
import { inspectHubModel, type Inspection } from './inspect-hub-model';

/** What the library takes from the browser; tests in Node give their own. */
type Platform = {
  readonly fetch: typeof globalThis.fetch;
  readonly wait?: HubDownload['access']['wait'];
  readonly root?: HubDownload['root'];
  readonly freeBytes: () => Promise<number | undefined>;
  readonly now: () => number;
};
const browser: Platform = {
  fetch: (...request) => fetch(...request),
  freeBytes: browserFreeBytes,
  now: () => Date.now(),
};

/** A library over `platform`. */
export function createLibrary(platform = browser): LibraryApi {
  const { fetch, wait, root, freeBytes, now } = platform;
  /** Records of what was inspected since the worker began: a download that follows needs no second look. */
  const known = new Map<string, ModelRecord>();

  const inspect = async (
    { id, revision, token }: Parameters<LibraryApi['inspectModel']>[0],
    signal: AbortSignal,
  ): Promise<Inspection> => {
    const hubFetch = createHubFetch({ model: id, token, fetch, signal, wait });
    const inspection = await inspectHubModel({ id, revision }, hubFetch, now());
    known.set(inspection.record.id, inspection.record);
    return inspection;
  };

  /** The record of this commit: of an earlier download, so that it goes on, or of an inspection. */
  const recordOf = async (
    { id, commit, token }: Parameters<LibraryApi['downloadModel']>[0],
    signal: AbortSignal,
  ): Promise<ModelRecord> => {
    for (const record of [await loadModel(id), known.get(id)]) {
      if (record?.source.kind === 'hub' && record.source.commit === commit) return record;
    }
    return (await inspect({ id, revision: commit, token }, signal)).record;
  };

  return {
    inspectModel: async (request, _emit, signal) => {
      const { record, isGated } = await inspect(request, signal);
      const { license, resolution, files } = record.manifest;
      const { sizeBytes, storedBytes } = await measureFiles(files, root);
      return {
        id: record.id,
        commit: record.source.kind === 'hub' ? record.source.commit : '',
        license,
        resolution,
        isGated,
        sizeBytes,
        storedBytes,
        freeBytes: await freeBytes(),
      };
    },
    importModel: ({ files }, emit, signal) =>
      serve(importModel(files, signal, { fetch, root, freeBytes, now }), emit),
    downloadModel: async (request, emit, signal) => {
      const record = await recordOf(request, signal);
      await replaceModel(record, root); // from here on a reload offers to go on
      const totalBytes = record.manifest.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      await serve(
        downloadHubModel(record, signal, { access: { token: request.token, fetch, wait }, root, freeBytes }),
        (loadedBytes) => emit({ kind: 'download-progress', loadedBytes, totalBytes }),
      );
    },
  };
}
