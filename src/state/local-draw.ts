// Drawing for the router: the models `likeness/<subject>` of its `images.generate`. Beside the page's own drawing, so that neither
// stops the other; the pictures go to who asked and not into the list of images.
import { drawnImage } from '../router/drawn-image';
import type { Draw, DrawnImage, DrawRequest } from '../router/draw';
import type { App } from './app';
import { emptyForm, requestOf } from './drawing-state';
import { drawable, type Subject } from './subjects-state';

/** The name of the model without a subject. */
const baseName = 'base';

type Named = { readonly name: string; readonly id: string | undefined; readonly createdAt: number };

/** What the router draws with. */
export function createDraw(app: App): Draw {
  return {
    subjects: async () => named(app).map(({ name, createdAt }) => ({ id: name, createdAt })),
    draw: (request, signal) => drawFor(app, request, signal),
  };
}

async function drawFor(app: App, request: DrawRequest, signal: AbortSignal): Promise<readonly DrawnImage[]> {
  const engine = app.engine.getState();
  if (engine.phase !== 'ready') throw new Error('the model is not loaded yet');
  const { prompt, negativePrompt, width, height, seed, count, format } = request;
  const form = {
    ...emptyForm,
    prompt,
    negativePrompt,
    width,
    height,
    images: count,
    subjectId: named(app).find(({ name }) => name === request.subject)?.id,
    seed: seed ?? app.services.newSeed(),
  };
  const pictures: Blob[] = [];
  for await (const event of engine.client.sample(
    { ...requestOf(form, engine.model), livePreview: false },
    signal,
  )) {
    if (event.kind === 'image-ready') pictures.push(event.png);
  }
  return Promise.all(
    pictures.map(async (png) => {
      const file = format === 'jpeg' ? await app.services.toJpeg(png, Infinity) : png;
      return drawnImage(await bytesOf(file), await bytesOf(png));
    }),
  );
}

const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());

/** The subjects under names that can stand in a model id: "My dog" is my-dog, a second one my-dog-2. */
function named(app: App): readonly Named[] {
  const taken = new Set<string>();
  const name = (words: string): string => {
    const plain =
      words
        .toLowerCase()
        .replace(/[^\p{L}\p{N}]+/gu, '-')
        .replace(/^-|-$/g, '') || 'subject';
    let free = plain;
    for (let i = 2; taken.has(free); i++) free = `${plain}-${i}`;
    taken.add(free);
    return free;
  };
  const base: Named = { name: name(baseName), id: undefined, createdAt: 0 };
  const oldestFirst = (a: Subject, b: Subject) => a.createdAt - b.createdAt;
  return [
    base,
    ...drawable(app.subjects.getState())
      .toSorted(oldestFirst)
      .map((subject) => ({ name: name(subject.name), id: subject.id, createdAt: subject.createdAt })),
  ];
}
