// What this browser keeps for the page, by kind, and removing it.
import { estimateStorage, removeKind, storageUsage, type KindUsage, type StoredKind } from '../storage/usage';
import type { App } from './app';
import { attempt } from './attempt';
import { openChat } from './chat';
import { openGallery } from './gallery';
import { refreshLibrary } from './library';
import { refreshSubjects } from './subjects';
import { refreshCheckpoints } from './training';
import { newSubject, savedWorkspace } from './workspace';

export type { KindUsage };

export const storedKindLabels: Readonly<
  Record<StoredKind, { readonly label: string; readonly hint: string }>
> = {
  subjects: { label: 'Subjects', hint: 'Photos, captions, previews and settings, with their checkpoints.' },
  checkpoints: { label: 'Checkpoints', hint: 'Trained weights. Without them a subject cannot be drawn.' },
  latents: { label: 'Prepared pictures', hint: 'Encoded photos and class pictures; made again when needed.' },
  gallery: { label: 'Images', hint: 'Everything that was drawn.' },
  loras: { label: 'LoRA files', hint: 'Files that were brought in.' },
  chats: { label: 'Conversation', hint: 'Messages; their pictures are among the images.' },
  models: {
    label: 'Model files',
    hint: 'The bundled model is loaded again when needed, others are downloaded again.',
  },
};

/** Measures what is kept. */
export async function refreshStored(app: App): Promise<void> {
  const kinds = await attempt(app, () => storageUsage());
  const browser = await attempt(app, () => estimateStorage());
  app.stored.setState({ kinds, browser });
}

/** Removes everything of a kind, from storage and from the page. */
export async function removeStored(app: App, kind: StoredKind): Promise<void> {
  await attempt(app, async () => {
    await savedWorkspace(app);
    await removeKind(kind);
    if (kind === 'subjects') await newSubject(app);
  });
  await Promise.all([
    openGallery(app),
    openChat(app),
    refreshSubjects(app),
    refreshCheckpoints(app),
    refreshLibrary(app),
  ]);
  await refreshStored(app);
}
