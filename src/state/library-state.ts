// Base models of the hub, as the page shows them: those that are known to work, those in this browser, and what is under way.
import type { LibraryApi, ModelOffer } from '../engine/contract';
import type { StoredModel } from '../storage/models';
import type { Failure } from './failure';

import { previewDecoderId } from '../storage/hub/preview-decoder-id';

export { parseHubAddress } from '../storage/hub/hub-address';

/** A file that a person chose or dropped, with its path: "folder/unet/config.json". */
export type GivenFile = Parameters<LibraryApi['importModel']>[0]['files'][number];

export type ModelTask =
  | { readonly phase: 'inspecting'; readonly controller: AbortController }
  | { readonly phase: 'offered'; readonly offer: ModelOffer }
  | {
      readonly phase: 'downloading';
      readonly controller: AbortController;
      readonly loadedBytes: number;
      readonly totalBytes: number;
    }
  | {
      readonly phase: 'importing';
      readonly controller: AbortController;
      readonly loadedBytes: number;
      readonly totalBytes: number;
    }
  | {
      readonly phase: 'failed';
      readonly failure: Failure;
      /** Of an import that another try may bring in, say when the connection is back. */
      readonly files?: readonly GivenFile[] | undefined;
    };

export type Library = {
  readonly stored: readonly StoredModel[]; // of the hub, whole or in part, and brought in as files
  readonly tasks: Readonly<Record<string, ModelTask>>; // by the model's id
  readonly token: string; // the person's own for the hub, '' without
  readonly isTokenKept: boolean; // in this browser, or for this tab alone
};

type KnownModel = { readonly id: string; readonly note: string };

/** Models that people start with, smallest first. Their sizes are the hub's to say. */
export const knownModels: readonly KnownModel[] = [
  { id: 'nota-ai/bk-sdm-tiny', note: 'Stable Diffusion 1.4 distilled to a third; for laptops.' },
  { id: 'segmind/tiny-sd', note: 'Stable Diffusion 1.5 distilled, tuned on portraits; for laptops.' },
  {
    id: 'stable-diffusion-v1-5/stable-diffusion-v1-5',
    note: 'Stable Diffusion 1.5, the usual base of fine-tunes.',
  },
  { id: 'stabilityai/stable-diffusion-2-1-base', note: 'Stable Diffusion 2.1 at 512 pixels.' },
  { id: 'SimianLuo/LCM_Dreamshaper_v7', note: 'Draws in 4 to 8 steps; not for training.' },
  { id: 'stabilityai/sd-turbo', note: 'Draws in 1 to 4 steps; not for training.' },
];

/** A line of the list of base models. */
export type ModelRow = {
  readonly id: string;
  readonly note: string; // '' where nobody said anything
  readonly stored: StoredModel | undefined;
  readonly task: ModelTask | undefined;
};

/** The lines: what is in this browser first, then what a person asked for, then the known ones. */
export function modelRows(library: Library): readonly ModelRow[] {
  const notes = new Map(knownModels.map(({ id, note }) => [id, note]));
  const here = library.stored.map(({ record }) => record.id);
  const asked = Object.keys(library.tasks).filter((id) => !notes.has(id));
  const ids = new Set([...here, ...asked, ...notes.keys()]);
  ids.delete(previewDecoderId);
  return [...ids].map((id) => rowOf(library, id, notes.get(id) ?? ''));
}

/** The line of the decoder of live previews, which is no base model. */
export const previewDecoderRow = (library: Library): ModelRow =>
  rowOf(
    library,
    previewDecoderId,
    'Small: shows pictures of Stable Diffusion models sharply while they are drawn.',
  );

const rowOf = ({ stored, tasks }: Library, id: string, note: string): ModelRow => ({
  id,
  note,
  stored: stored.find(({ record }) => record.id === id),
  task: tasks[id],
});

/** Whether a download has the room that the browser says is there. */
export const hasRoom = ({ sizeBytes, storedBytes, freeBytes }: ModelOffer): boolean =>
  freeBytes === undefined || sizeBytes - storedBytes <= freeBytes;
