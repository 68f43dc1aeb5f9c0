// The pictures that were drawn, newest first, each with the request that drew it.
import type { SampleRequest } from '../engine/contract';
import {
  addGalleryImage,
  deleteGalleryImage,
  listGalleryImages,
  type GalleryImage,
} from '../storage/gallery';
import type { App } from './app';
import { attempt } from './attempt';
import { emptyForm, type DrawForm } from './drawing-state';
import { samplerLabels, sigmaLabels } from './samplers';

export type Picture = GalleryImage;

/** Reads the pictures that were kept. */
export async function openGallery(app: App): Promise<void> {
  const images = await attempt(app, () => listGalleryImages());
  if (images) app.gallery.setState(images, true);
}

/** Keeps a drawn picture; shown even where it could not be kept. Answers it. */
export async function keepPicture(
  app: App,
  png: Blob,
  seed: number,
  request: SampleRequest,
): Promise<GalleryImage> {
  const { newId, now } = app.services;
  const { subjectId = null, checkpointStep = null, start, ...rest } = request;
  const image: GalleryImage = {
    version: 1,
    id: newId(),
    createdAt: now(),
    png,
    prompt: request.prompt,
    request: {
      ...rest,
      ...(start ? { strength: start.strength } : {}),
      subjectId,
      checkpointStep,
      seed,
      seeds: [seed],
      images: 1,
    },
  };
  app.gallery.setState([image, ...app.gallery.getState()], true);
  await attempt(app, () => addGalleryImage(image));
  return image;
}

/** Removes a picture. */
export async function deletePicture(app: App, id: string): Promise<void> {
  app.gallery.setState(
    app.gallery.getState().filter((image) => image.id !== id),
    true,
  );
  await attempt(app, () => deleteGalleryImage(id));
}

/** Puts the settings of a picture into the form; a subject that is gone is left out. */
export function restorePicture(app: App, image: GalleryImage): void {
  const restored = formOf(image);
  if (!restored) return;
  const isThere = app.subjects.getState().some(({ id }) => id === restored.subjectId);
  const subject = isThere ? {} : { subjectId: undefined, checkpointStep: undefined };
  app.form.setState({ ...restored, ...subject });
}

/** What the picture depends on. */
type PictureForm = Omit<DrawForm, 'batchSize' | 'livePreview'>;

/** The form that draws this picture again, or undefined where its request is not understood. */
function formOf({ request }: GalleryImage): PictureForm | undefined {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) return undefined;
  const value = request as Readonly<Record<string, unknown>>;
  const number = (key: string): number | undefined => {
    const found = value[key];
    return typeof found === 'number' ? found : undefined;
  };
  const text = (key: string): string | undefined => {
    const found = value[key];
    return typeof found === 'string' ? found : undefined;
  };
  const [prompt, seed] = [text('prompt'), number('seed')];
  if (prompt === undefined || seed === undefined) return undefined;
  const sampler = text('sampler');
  const sigmas = text('sigmas');
  return {
    prompt,
    seed,
    negativePrompt: text('negativePrompt') ?? '',
    promptSyntax: text('promptSyntax') === 'weighted' ? 'weighted' : 'plain',
    subjectId: text('subjectId'),
    checkpointStep: number('checkpointStep'),
    subjectStrength: number('subjectStrength') ?? 1,
    strength: number('strength') ?? emptyForm.strength,
    seedList: '',
    images: 1,
    steps: number('steps'),
    guidance: number('guidance'),
    width: number('width'),
    height: number('height'),
    sampler:
      sampler !== undefined && sampler in samplerLabels ? (sampler as keyof typeof samplerLabels) : undefined,
    sigmas: sigmas !== undefined && sigmas in sigmaLabels ? (sigmas as keyof typeof sigmaLabels) : 'schedule',
  };
}
