// Drawing pictures: one request at a time, live frames to the canvas, every finished picture kept.
import { isAbort } from '../base/errors';
import type { SampleRequest } from '../engine/contract';
import type { GalleryImage } from '../storage/gallery';
import type { App } from './app';
import { attempt } from './attempt';
import { refreshEngine } from './engine';
import { toFailure } from './failure';
import { requestOf, type DrawForm, type DrawPlace, type Drawing } from './drawing-state';
import { keepPicture } from './gallery';
import { parseSeedList } from './seed-list';

/** Changes fields of the form. Another subject takes its newest weights. */
export function editForm(app: App, patch: Partial<DrawForm>): void {
  const subject = 'subjectId' in patch && !('checkpointStep' in patch) ? { checkpointStep: undefined } : {};
  app.form.setState({ ...patch, ...subject });
}

/** Puts another seed into the form. */
export const randomizeSeed = (app: App): void => editForm(app, { seed: app.services.newSeed() });

/** Starts from a picture, with nothing painted; without one, from noise again. */
export const startFrom = (app: App, picture: Blob | undefined): void =>
  app.start.setState({ painted: picture && { picture, mask: undefined } });

/** Starts from a file that a person gave; one that is no picture leaves everything as it was, with a sentence. */
export async function chooseStart(app: App, file: File): Promise<void> {
  await attempt(app, async () => {
    await app.services.codec.checkPicture({ file, name: file.name });
    startFrom(app, file);
  });
}

/** Where the start picture is drawn over: white on black, of its aspect; undefined = all of it. */
export function paintMask(app: App, mask: Blob | undefined): void {
  const { painted } = app.start.getState();
  if (painted) app.start.setState({ painted: { ...painted, mask } });
}

/** Draws what the form says. */
export async function generate(app: App): Promise<void> {
  const engine = app.engine.getState();
  if (engine.phase !== 'ready') return;
  const form = app.form.getState();
  if (form.prompt.trim() === '' || parseSeedList(form.seedList) === undefined) return;
  await draw(app, requestOf(form, engine.model, app.start.getState().painted), 'create');
}

/** Ends the drawing between two steps; pictures that are finished stay. */
export function stopDrawing(app: App): void {
  const drawing = app.drawing.getState();
  if (drawing.phase === 'running') drawing.controller.abort();
}

/** Draws a request for a page and answers the pictures that were finished. Nothing where another drawing is under way. */
export async function draw(
  app: App,
  request: SampleRequest,
  place: DrawPlace,
): Promise<readonly GalleryImage[]> {
  const engine = app.engine.getState();
  if (engine.phase !== 'ready' || app.drawing.getState().phase === 'running') return [];
  const controller = new AbortController();
  const { steps, images } = request;
  const running: Drawing = {
    phase: 'running',
    place,
    controller,
    isQueued: false,
    image: 0,
    batch: 1,
    images,
    step: 0,
    steps,
  };
  app.drawing.setState(running, true);
  const finished: GalleryImage[] = [];
  try {
    await app.services.keepAwake(async () => {
      for await (const event of engine.client.sample(request, controller.signal)) {
        if (event.kind === 'image-ready')
          finished.push(await keepPicture(app, event.png, event.seed, request));
        else if (event.kind === 'preview-ready') app.frames.publish(event.bitmap);
        else if (event.kind === 'queued') app.drawing.setState({ ...running, isQueued: true }, true);
        else {
          const { image, batch, step, steps } = event;
          app.drawing.setState({ ...running, image, batch, step, steps }, true);
        }
      }
    });
    app.drawing.setState({ phase: 'idle' }, true);
  } catch (error) {
    app.drawing.setState(
      isAbort(error) ? { phase: 'idle' } : { phase: 'failed', place, failure: toFailure(error) },
      true,
    );
  }
  void refreshEngine(app);
  return finished;
}
