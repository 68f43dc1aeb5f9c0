import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import { insertPngText } from '../weights/png-text';
import { encodePngInNode } from '../engine/testing/png';
import { createDraw } from './local-draw';
import { startTestApp } from './testing/test-app';

test('subjects have names that can stand in a model id, and the base model has one', async () => {
  const { app } = await startTestApp();
  const lora = { kind: 'lora', modelId: 'bundled', fileName: 'x', sizeBytes: 1 } as const;
  app.subjects.setState(
    [
      { ...lora, id: 'c', name: 'My dog!', createdAt: 3 },
      { ...lora, id: 'b', name: 'my Dog', createdAt: 2 },
      { ...lora, id: 'a', name: '??', createdAt: 1 },
    ],
    true,
  );
  expect(await createDraw(app).subjects()).toEqual([
    { id: 'base', createdAt: 0 },
    { id: 'subject', createdAt: 1 },
    { id: 'my-dog', createdAt: 2 },
    { id: 'my-dog-2', createdAt: 3 },
  ]);
});

test('a request draws beside the page’s own drawing, and its pictures carry their parameters', async () => {
  const { app, engine } = await startTestApp();
  const plain = await encodePngInNode(new Uint8ClampedArray(4), 1, 1);
  const bytes = insertPngText(new Uint8Array(await plain.arrayBuffer()), 'parameters', 'a dog');
  const request = {
    subject: 'base',
    prompt: 'a dog',
    negativePrompt: '',
    count: 2,
    width: undefined,
    height: 32,
    seed: 5,
    format: 'png',
  } as const;
  const before = app.gallery.getState().length;
  const drawing = createDraw(app).draw(request, new AbortController().signal);
  await expect.poll(() => engine.drawn.length).toBe(1);
  const { request: asked, job } = engine.drawn[0]!;
  expect(asked).toMatchObject({
    prompt: 'a dog',
    subjectId: undefined,
    seed: 5,
    images: 2,
    width: 64,
    height: 32,
  });
  job.give({ kind: 'image-ready', image: 0, seed: 5, png: new Blob([bytes]) });
  job.end({ images: 1, secondsPerStep: 1 });
  expect(await drawing).toEqual([{ bytes, parameters: 'a dog' }]);
  expect(app.drawing.getState()).toEqual({ phase: 'idle' });
  expect(app.gallery.getState()).toHaveLength(before);

  const jpeg = createDraw(app).draw({ ...request, format: 'jpeg' }, new AbortController().signal);
  await expect.poll(() => engine.drawn.length).toBe(2);
  engine.drawn[1]!.job.give({ kind: 'image-ready', image: 0, seed: 5, png: new Blob([bytes]) });
  engine.drawn[1]!.job.end({ images: 1, secondsPerStep: 1 });
  const [picture] = await jpeg;
  expect(new TextDecoder().decode(picture!.bytes)).toContain('≤ Infinity'); // the test's encoder
  expect(picture!.parameters).toBe('a dog');
});
