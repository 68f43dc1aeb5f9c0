import 'fake-indexeddb/auto';
import { inflateSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { readPngText } from '../weights/png-text';
import { parseParameters, parametersKeyword } from '../weights/png-parameters';
import type { EngineApi, ModelInfo, SampleEvent, SampleRequest, TrainingEvent } from './contract';
import { openBundledEngine } from './testing/bundled-engine';
import { shortSettings, storeRun } from './testing/runs';

const never = new AbortController().signal;
const silent = () => {};

let engine: EngineApi;
let model: ModelInfo;

beforeAll(async () => {
  engine = await openBundledEngine();
  model = await engine.loadModel({ modelId: 'bundled' }, silent, never);
}, 60_000);

const request: SampleRequest = {
  prompt: 'a photo of a red ball',
  negativePrompt: '',
  promptSyntax: 'plain',
  subjectId: undefined,
  checkpointStep: undefined,
  subjectStrength: 1,
  steps: 2,
  guidance: 4,
  seed: 11,
  width: 32,
  height: 32,
  images: 1,
  sampler: 'ddim',
  sigmas: 'schedule',
  livePreview: false,
};

async function draw(change: Partial<SampleRequest> = {}, signal = never) {
  const events: SampleEvent[] = [];
  const result = await engine.sample({ ...request, ...change }, (event) => void events.push(event), signal);
  const pictures = events.flatMap((event) => (event.kind === 'image-ready' ? [event] : []));
  const files = await Promise.all(pictures.map(async ({ png }) => new Uint8Array(await png.arrayBuffer())));
  return { events, result, files, seeds: pictures.map(({ seed }) => seed) };
}

/** The levels in a PNG of ours. */
function pixelsOf(png: Uint8Array): Uint8Array {
  const bytes = Buffer.from(png);
  const start = bytes.indexOf('IDAT');
  return inflateSync(bytes.subarray(start + 4, start + 4 + bytes.readUInt32BE(start - 4)));
}

test('the model is described by its manifest and configs', () => {
  expect(model).toMatchObject({
    id: 'bundled',
    name: 'Likeness 64',
    license: 'CC BY-SA 4.0',
    resolution: 64,
    sizeStep: 8,
    sampling: { sampler: 'ddim', steps: 20, guidance: 4, batchSize: 1 },
    takesPreviewDecoder: false,
    loraLoadsIn: { kohya: ['diffusers'], peft: ['diffusers'] },
  });
  expect(model.sizeBytes).toBeGreaterThan(24e6);
  expect(model.recipes.quick.learningRate).toBe(1e-3); // the manifest's advice
});

describe('drawing', () => {
  test('picture i of a request is the first picture of seed + i', async () => {
    const three = await draw({ images: 3 });
    expect(three.seeds).toEqual([11, 12, 13]);
    const second = await draw({ seed: 12 });
    expect(pixelsOf(second.files[0]!)).toEqual(pixelsOf(three.files[1]!));
    expect(pixelsOf(second.files[0]!)).not.toEqual(pixelsOf(three.files[0]!));
    expect(three.events.map((event) => (event.kind === 'step-end' ? event.step : event.kind))).toEqual([
      ...[1, 2, 'image-ready'],
      ...[1, 2, 'image-ready'],
      ...[1, 2, 'image-ready'],
    ]);
    expect(three.events[3]).toEqual({ kind: 'step-end', step: 1, steps: 2, image: 1, batch: 1, images: 3 });
    expect(three.result.images).toBe(3);
    expect(three.result.secondsPerStep).toBeGreaterThan(0);
  });

  test('seeds go on from 0 after the last one', async () => {
    expect((await draw({ images: 2, seed: 2 ** 32 - 1, steps: 1 })).seeds).toEqual([2 ** 32 - 1, 0]);
  });

  test('the file says how it was drawn', async () => {
    const { files } = await draw({ negativePrompt: 'blurry', width: 48, seed: 5 });
    const png = files[0]!;
    expect([...png.subarray(16, 24)]).toEqual([0, 0, 0, 48, 0, 0, 0, 32]); // IHDR
    expect(parseParameters(readPngText(png, parametersKeyword)!)).toEqual({
      prompt: 'a photo of a red ball',
      negativePrompt: 'blurry',
      settings: {
        Steps: '2',
        Sampler: 'ddim',
        'CFG scale': '4',
        Seed: '5',
        Size: '48x32',
        Model: 'Likeness 64',
      },
    });
  });

  test('prompt, negative prompt, guidance and sampler count', async () => {
    const plain = pixelsOf((await draw()).files[0]!);
    for (const change of [
      { prompt: 'a photo of a blue car' },
      { negativePrompt: 'a photo of a red ball' },
      { guidance: 1 },
      { sampler: 'euler' } as const,
      { sampler: 'euler', sigmas: 'karras', steps: 4 } as const,
    ])
      expect(pixelsOf((await draw(change)).files[0]!)).not.toEqual(plain);
    expect(pixelsOf((await draw()).files[0]!)).toEqual(plain);
  });

  test('weights and long prompts count, and are plain letters where the syntax is off', async () => {
    const prompt = 'a photo of a (red:1.5) ball';
    const long = { prompt: `${request.prompt} BREAK in the snow`, negativePrompt: 'blurry' };
    const pictures = await Promise.all(
      [{ prompt }, { prompt, promptSyntax: 'weighted' }, { ...long, promptSyntax: 'weighted' }, long].map(
        async (change) => pixelsOf((await draw(change as Partial<SampleRequest>)).files[0]!).join(),
      ),
    );
    expect(new Set(pictures).size).toBe(4);
    const plain = pixelsOf((await draw()).files[0]!);
    expect(pixelsOf((await draw({ promptSyntax: 'weighted' })).files[0]!)).toEqual(plain);
  });

  test('stops between steps', async () => {
    const stop = new AbortController();
    const events: SampleEvent[] = [];
    const drawing = engine.sample(
      { ...request, steps: 50 },
      (event) => {
        events.push(event);
        if (events.length === 2) stop.abort();
      },
      stop.signal,
    );
    await expect(drawing).rejects.toMatchObject({ name: 'AbortError' });
    expect(events).toHaveLength(2);
  });

  test.each([
    ['steps', 0],
    ['guidance', -1],
    ['seed', 2 ** 32],
    ['images', 0],
    ['subjectStrength', 2.5],
    ['width', 44], // no multiple of 8
    ['height', 8],
    ['steps', NaN],
  ] as const)('%s %d is refused', async (setting, value) => {
    await expect(draw({ [setting]: value })).rejects.toMatchObject({
      code: 'bad-settings',
      details: { setting },
    });
  });
});

test('a run, its picture, its file, and the picture of the file', async () => {
  const settings = { ...shortSettings, steps: 3, evaluateEvery: 0 };
  await storeRun('toy', settings);
  expect(await engine.estimate({ settings, photos: 2 }, silent, never)).toMatchObject({
    secondsPerStep: undefined,
    fits: true,
  });
  let meanwhile: ReturnType<typeof draw> | undefined; // between the steps of the training
  const draws = (event: TrainingEvent) => {
    if (event.kind === 'step-end') meanwhile ??= draw();
  };
  expect(await engine.train({ runId: 'toy' }, draws, never)).toEqual({ step: 3, steps: 3 });
  const plain = pixelsOf((await draw()).files[0]!);
  expect(pixelsOf((await meanwhile!).files[0]!)).toEqual(plain);

  const estimate = await engine.estimate({ settings, photos: 2 }, silent, never);
  expect(estimate.secondsPerStep).toBeGreaterThan(0); // the measured one
  expect(estimate.secondsTotal).toBeGreaterThan(3 * estimate.secondsPerStep!);

  const { files } = await draw({ subjectId: 'toy' });
  expect(parseParameters(readPngText(files[0]!, parametersKeyword)!).settings).toMatchObject({
    Subject: 'My toy',
    'Subject strength': '1',
  });
  expect(pixelsOf(files[0]!)).not.toEqual(plain);

  const { bytes, fileName } = await engine.exportLora(
    { subjectId: 'toy', checkpointStep: undefined, format: 'kohya' },
    silent,
    never,
  );
  const file = new Blob([bytes as Uint8Array<ArrayBuffer>]);
  const { subjectId } = await engine.importLora({ file, fileName }, silent, never);
  expect(pixelsOf((await draw({ subjectId })).files[0]!)).toEqual(pixelsOf(files[0]!));
});

test('memory is told by what holds it, and jobs that ended or stopped hold nothing', async () => {
  const memory = await engine.memory({}, silent, never);
  expect(Object.keys(memory)).toEqual(
    expect.arrayContaining(['unet weights', 'text_encoder weights', 'UNet']),
  );
  for (const label of ['subject', 'sampling', 'text', 'batch', 'training step', 'optimizer state'])
    expect(Object.keys(memory)).not.toContain(label);
});
