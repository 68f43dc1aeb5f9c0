import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import { AppError } from '../base/errors';
import { listGalleryImages } from '../storage/gallery';
import { listMessages } from '../storage/chats';
import { imaginePrompt, openChat, regenerate, sendMessage } from './chat';
import { chooseStart, editForm, generate, paintMask, randomizeSeed, startFrom, stopDrawing } from './drawing';
import { deletePicture, openGallery, restorePicture } from './gallery';
import { importLoraFile } from './subjects';
import { createTestApp, startTestApp } from './testing/test-app';
import type { FakeEngine } from './testing/fake-engine';

const until = (isSo: () => boolean) => expect.poll(isSo).toBe(true);
const lastDrawn = (engine: FakeEngine) => engine.drawn.at(-1)!;

test('draws what the form says, the model answering for what nobody chose', async () => {
  const { app, engine } = await startTestApp();
  editForm(app, { prompt: ' a dog ', images: 2, guidance: 3, seed: 5 });
  const frames: string[] = [];
  app.frames.subscribe((bitmap) => frames.push(String(bitmap.width)));
  const drawing = generate(app);
  await until(() => engine.drawn.length === 1);
  const { request, job } = lastDrawn(engine);
  expect(request).toEqual({
    prompt: 'a dog',
    negativePrompt: '',
    promptSyntax: 'weighted',
    subjectId: undefined,
    checkpointStep: undefined,
    subjectStrength: 1,
    steps: 20,
    guidance: 3,
    seed: 5,
    width: 64,
    height: 64,
    images: 2,
    sampler: 'ddim',
    sigmas: 'schedule',
    batchSize: 1,
    livePreview: true,
  });
  let closed = 0;
  const bitmap = { width: 64, height: 64, close: () => closed++ };
  job.give(
    { kind: 'step-end', step: 3, steps: 20, image: 0, batch: 1, images: 2 },
    { kind: 'preview-ready', image: 0, bitmap },
    { kind: 'image-ready', image: 0, seed: 5, png: new Blob(['first']) },
    { kind: 'image-ready', image: 1, seed: 6, png: new Blob(['second']) },
  );
  await until(() => app.gallery.getState().length === 2);
  expect([frames, closed]).toEqual([['64'], 1]);
  job.end({ images: 2, secondsPerStep: 0.1 });
  await drawing;
  expect(app.drawing.getState()).toEqual({ phase: 'idle' });

  const stored = await listGalleryImages();
  expect(await Promise.all(stored.map(({ png }) => png.text()))).toEqual(['second', 'first']);
  const { app: reopened } = createTestApp();
  await openGallery(reopened);
  expect(reopened.gallery.getState()).toHaveLength(2);
  restorePicture(reopened, reopened.gallery.getState()[0]!);
  expect(reopened.form.getState()).toMatchObject({
    prompt: 'a dog',
    seed: 6,
    guidance: 3,
    steps: 20,
    images: 1,
    promptSyntax: 'weighted',
    sigmas: 'schedule',
  });
  await deletePicture(reopened, stored[0]!.id);
  expect((await listGalleryImages()).map(({ id }) => id)).toEqual([stored[1]!.id]);
});

test('a stopped drawing keeps what is finished; a failed one says why', async () => {
  const { app, engine } = await startTestApp();
  editForm(app, { prompt: 'a dog' });
  const before = app.gallery.getState().length;
  const stopped = generate(app);
  await until(() => engine.drawn.length === 1);
  lastDrawn(engine).job.give({ kind: 'image-ready', image: 0, seed: 0, png: new Blob(['x']) });
  await until(() => app.gallery.getState().length === before + 1);
  stopDrawing(app);
  await stopped;
  expect(app.drawing.getState()).toEqual({ phase: 'idle' });
  expect(app.gallery.getState()).toHaveLength(before + 1);

  const failed = generate(app);
  await until(() => engine.drawn.length === 2);
  lastDrawn(engine).job.fail(new AppError('out-of-memory'));
  await failed;
  expect(app.drawing.getState()).toMatchObject({ phase: 'failed', failure: { code: 'out-of-memory' } });
});

test('a start picture, its mask, strength and a list of seeds are asked for; the strength is restored', async () => {
  const { app, engine } = await startTestApp();
  const [picture, mask] = [new Blob(['picture']), new Blob(['mask'])];
  editForm(app, { prompt: 'a dog', strength: 0.4, seedList: '3, 8-9' });
  startFrom(app, picture);
  paintMask(app, mask);
  const drawing = generate(app);
  await until(() => engine.drawn.length === 1);
  const { request, job } = lastDrawn(engine);
  expect(request).toMatchObject({ images: 3, seeds: [3, 8, 9], start: { strength: 0.4 } });
  expect(await request.start!.picture.text()).toBe('picture');
  expect(await request.start!.mask!.text()).toBe('mask');
  job.give({ kind: 'image-ready', image: 0, seed: 3, png: new Blob(['one']) });
  job.end({ images: 3, secondsPerStep: 1 });
  await drawing;

  editForm(app, { strength: 0.9 });
  restorePicture(app, app.gallery.getState()[0]!);
  expect(app.form.getState()).toMatchObject({ seed: 3, seedList: '', strength: 0.4 });
  startFrom(app, picture);
  expect(app.start.getState().painted).toEqual({ picture, mask: undefined });
  startFrom(app, undefined);
  paintMask(app, mask);
  expect(app.start.getState().painted).toBeUndefined();
});

test('a file that is no picture is said, and the start picture stays', async () => {
  const { app } = await startTestApp();
  const picture = new File(['picture'], 'a.png');
  await chooseStart(app, picture);
  expect(app.start.getState().painted?.picture).toBe(picture);
  await chooseStart(app, new File(['broken'], 'b.png'));
  expect(app.notice.getState()).toMatchObject({ code: 'bad-image', details: { file: 'b.png' } });
  expect(app.start.getState().painted?.picture).toBe(picture);
});

test('without a prompt nothing is drawn; the seed button gives another seed', async () => {
  const { app, engine } = await startTestApp();
  await generate(app);
  expect(engine.drawn).toEqual([]);
  randomizeSeed(app);
  expect(app.form.getState().seed).toBe(7);
});

test('/imagine is recognised with and without a prompt', () => {
  expect(imaginePrompt('/imagine  a dog\non a hill ')).toBe('a dog\non a hill');
  expect(imaginePrompt(' /imagine')).toBe('');
  expect(imaginePrompt('/imagined')).toBeUndefined();
  expect(imaginePrompt('imagine a dog')).toBeUndefined();
});

test('the chat draws, keeps the picture and draws it again in its place', async () => {
  const { app, engine } = await startTestApp();
  const draw = async (text: string, job: Promise<void>) => {
    await until(() => engine.drawn.length > 0 && app.drawing.getState().phase === 'running');
    lastDrawn(engine).job.give({ kind: 'image-ready', image: 0, seed: 7, png: new Blob([text]) });
    lastDrawn(engine).job.end({ images: 1, secondsPerStep: 1 });
    await job;
  };
  await draw('one', sendMessage(app, '/imagine a dog'));
  const answer = app.chat.getState().messages.at(-1)!;
  expect(app.chat.getState().messages.map(({ role, text }) => [role, text])).toEqual([
    ['user', '/imagine a dog'],
    ['assistant', 'a dog'],
  ]);
  await draw('two', regenerate(app, answer.id));

  const { app: reopened } = createTestApp();
  await openChat(reopened);
  await openGallery(reopened);
  const { messages } = reopened.chat.getState();
  expect(messages).toHaveLength(2);
  const picture = reopened.gallery.getState().find(({ id }) => id === messages[1]!.imageIds[0]);
  expect(await picture!.png.text()).toBe('two');
});

test('any other message is told what the chat can do', async () => {
  const { app, engine } = await startTestApp();
  const before = (await listMessages()).length;
  await sendMessage(app, 'hello');
  expect(engine.drawn).toEqual([]);
  const messages = await listMessages();
  expect(messages).toHaveLength(before + 2);
  expect(messages.at(-1)!.text).toContain('/imagine');
});

test('a LoRA file that cannot be used is a notice', async () => {
  const { app } = await startTestApp();
  const isTaken = await importLoraFile(app, new File(['x'], 'rex.safetensors'));
  expect(isTaken).toBe(false);
  expect(app.notice.getState()).toMatchObject({ code: 'bad-file', details: { file: 'rex.safetensors' } });
});
