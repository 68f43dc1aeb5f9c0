// Looks at a model of the hub before anything large is fetched: its list of files, its configs and tokenizer, and the headers of its
// weights. What this page cannot use is refused here, after kilobytes; what it can use comes out as the record that a download needs.
import { AppError } from '../base/errors';
import { pixelsPerLatent } from '../models/parameters';
import type { HubAddress } from '../storage/hub/hub-address';
import {
  digest,
  findHubModel,
  openHubFile,
  readHubFile,
  type HubFile,
  type HubModel,
} from '../storage/hub/hub-model';
import { previewDecoderId } from '../storage/hub/preview-decoder-id';
import type { ModelFile, ModelManifest } from '../storage/model-manifest';
import type { ModelRecord } from '../storage/models';
import { openBaseModel, type OpenFile } from './base-model';
import { chooseFiles, type Chosen } from './choose-files';
import { readJson } from './model-parts';
import { checkPipeline } from './pipelines';
import { openPreviewDecoder, previewDecoderFiles } from './preview-decoder';
import { adviseSampling } from './sampling-advice';

export type Inspection = {
  readonly record: ModelRecord;
  readonly isGated: boolean;
};

/**
 * Inspects the model at `address` through `fetch`, a hub fetch. Throws its AppErrors and AppError('unsupported-model' | 'bad-file' |
 * 'hub-wrong-file').
 */
export async function inspectHubModel(
  address: HubAddress,
  fetch: typeof globalThis.fetch,
  now: number,
): Promise<Inspection> {
  const model = await findHubModel(address, fetch);
  const isDecoder = model.id === previewDecoderId;
  const index = model.files.find(({ path }) => path === 'model_index.json');
  if (index) {
    const file = new Blob([await readHubFile(model, index, fetch)]);
    const paths = model.files.map(({ path }) => path);
    checkPipeline(await readJson(file, index.path), paths);
  }
  const chosen = isDecoder ? decoderFiles(model.files) : chooseFiles(model.files);
  const opened = new Map(
    await Promise.all(chosen.map(async (file) => [file.name, await openFile(model, file, fetch)] as const)),
  );
  const open = (path: string): Blob => {
    const file = opened.get(path);
    if (!file) throw new AppError('file-missing', { file: path });
    return file.blob;
  };
  const scheduler = isDecoder ? '{}' : await open('scheduler/scheduler_config.json').text();
  const manifest: ModelManifest = {
    version: 1,
    id: model.id,
    name: model.id.split('/')[1]!,
    license: model.license || 'see its page',
    files: chosen.map(({ name }) => opened.get(name)!.file),
    resolution: 512,
    sampling: adviseSampling(model.id, scheduler),
    training: {},
  };
  const { resolution, embedsGuidance } = await (isDecoder ? openDecoder : openModel)(manifest, async (path) =>
    open(path),
  );
  const sampling = adviseSampling(model.id, scheduler, embedsGuidance);
  return {
    isGated: model.isGated,
    record: {
      version: 1,
      id: model.id,
      addedAt: now,
      manifest: { ...manifest, resolution, sampling },
      source: {
        kind: 'hub',
        commit: model.commit,
        paths: Object.fromEntries(chosen.map(({ name, path }) => [name, path])),
      },
    },
  };
}

type Seen = { readonly resolution: number; readonly embedsGuidance: boolean };

/** Opens the model, which checks it. */
async function openModel(manifest: ModelManifest, open: OpenFile): Promise<Seen> {
  const { unet, pixelsPerLatent: side } = await openBaseModel(manifest, open);
  return { resolution: unet.sample_size * side, embedsGuidance: Boolean(unet.time_cond_proj_dim) };
}

/** The preview decoder draws nothing by itself: it is checked alike, and its pixels are those of one latent. */
async function openDecoder(_: ModelManifest, open: OpenFile): Promise<Seen> {
  return { resolution: pixelsPerLatent((await openPreviewDecoder(open)).vae), embedsGuidance: false };
}

/** TAESD's files. No commit and no hash of them is written down here: the hub's list names both, as for any model. */
const decoderFiles = (files: readonly HubFile[]): readonly Chosen<HubFile>[] =>
  previewDecoderFiles.map((name) => {
    const file = files.find(({ path }) => path === name);
    if (!file) throw new AppError('unsupported-model', { reason: `the repository has no ${name}` });
    return { ...file, name };
  });

/** Small files are read whole. Of weights only the header is, when somebody asks for it. */
async function openFile(
  model: HubModel,
  file: Chosen<HubFile>,
  fetch: typeof globalThis.fetch,
): Promise<{ readonly file: ModelFile; readonly blob: Blob }> {
  const { name, sizeBytes, sha256 } = file;
  if (sha256 !== undefined && /\.(safetensors|bin)$/.test(name)) {
    return { file: { path: name, sizeBytes, sha256 }, blob: await openHubFile(model, file, fetch) };
  }
  checkSmall(file);
  const bytes = await readHubFile(model, file, fetch);
  const hash = sha256 ?? (await digest('SHA-256', bytes));
  return { file: { path: name, sizeBytes, sha256: hash }, blob: new Blob([bytes]) };
}

/** Git itself holds files up to 10 MB on the hub; a config larger than that is none. */
function checkSmall({ path, sizeBytes }: HubFile): void {
  if (sizeBytes > 10 * 2 ** 20) throw new AppError('bad-file', { file: path, reason: 'it is far too large' });
}
