// Photos of the draft: added one by one as they are decoded, each problem told by file, the rest kept.
import { AppError } from '../base/errors';
import type { App } from './app';
import { attempt } from './attempt';
import { toFailure } from './failure';
import { editDraft, editPhotos, setWords } from './workspace';
import { instancePrompt, mostPhotos, type PhotoProblem } from './workspace-state';

export type PhotoFile = { readonly name: string; readonly file: Blob; readonly caption?: string };

type Told<Problem = PhotoProblem> = Problem extends PhotoProblem ? Omit<Problem, 'id'> : never;

/** Decodes files and adds those that can be used to the draft. Resolves when all have been looked at. */
export async function addPhotos(app: App, files: readonly PhotoFile[]): Promise<void> {
  if (app.workspace.getState().run.state !== 'draft') return;
  const count = (change: number) => {
    app.workspace.setState(({ readingPhotos }) => ({ readingPhotos: readingPhotos + change }));
  };
  count(files.length);
  const runId = app.workspace.getState().run.id;
  await app.reading(async () => {
    for (const file of files) {
      if (app.workspace.getState().run.id === runId) await addPhoto(app, file);
      count(-1);
    }
  });
}

async function addPhoto(app: App, { name, file, caption }: PhotoFile): Promise<void> {
  const tell = (problem: Told) => {
    const id = app.services.newId();
    app.workspace.setState(({ problems }) => ({ problems: [...problems, { ...problem, id }] }));
  };
  if (app.workspace.getState().run.photos.length >= mostPhotos) return tell({ kind: 'too-many', file: name });
  try {
    const { id, width, height, thumbnail } = await app.services.codec.preparePhoto({ file, name });
    const { run } = app.workspace.getState();
    const same = run.photos.find((photo) => photo.id === id);
    if (same) return tell({ kind: 'duplicate', file: name, of: same.name });
    const words = caption ?? instancePrompt(run.subjectWord, run.className);
    // The bytes themselves are kept: a File of a folder that moves could not be read again.
    const bytes = new Blob([await file.arrayBuffer()], { type: file.type });
    const photo = { id, name, type: file.type, file: bytes, width, height, caption: words, thumbnail };
    editPhotos(app, (photos) => [...photos, photo]);
  } catch (error) {
    tell({ kind: 'failure', file: name, failure: toFailure(error) });
  }
}

/** Adds a picture that was dragged from another page, where that page's server allows it. */
export async function addPhotoFromUrl(app: App, url: string): Promise<void> {
  const name = url.startsWith('data:') ? 'dropped picture' : (url.split(/[?#]/)[0]?.split('/').at(-1) ?? url);
  const file = await attempt(app, () => app.services.readUrl(url));
  if (file) await addPhotos(app, [{ name, file }]);
}

/** Takes a photo out of the draft. */
export function removePhoto(app: App, id: string): void {
  editPhotos(app, (photos) => photos.filter((photo) => photo.id !== id));
}

/** Changes the caption of one photo. */
export function setCaption(app: App, id: string, caption: string): void {
  editPhotos(app, (photos) => photos.map((photo) => (photo.id === id ? { ...photo, caption } : photo)));
}

/** Takes the sentences about files away. */
export function dismissProblems(app: App): void {
  app.workspace.setState({ problems: [] });
}

type Sample = {
  readonly name: string;
  readonly subjectWord: string;
  readonly className: string;
  readonly photos: readonly { readonly file: string; readonly caption: string }[];
};

const sampleFolder = 'samples/toy/';

/** Fills the draft with the subject that comes with the page. */
export async function trySample(app: App): Promise<void> {
  await attempt(app, async () => {
    const sample = parseSample(await (await app.services.readUrl(`${sampleFolder}sample.json`)).text());
    const files = await Promise.all(
      sample.photos.map(async ({ file, caption }) => ({
        name: file,
        caption,
        file: await app.services.readUrl(sampleFolder + file),
      })),
    );
    setWords(app, { subjectWord: sample.subjectWord, className: sample.className });
    editDraft(app, () => ({ name: sample.name }));
    await addPhotos(app, files);
  });
}

function parseSample(text: string): Sample {
  const sample = JSON.parse(text) as Partial<Sample> | null;
  if (!sample?.name || !sample.subjectWord || !sample.className || !Array.isArray(sample.photos))
    throw new AppError('bad-file', { file: 'sample.json', reason: 'it does not describe a subject' });
  return sample as Sample;
}
