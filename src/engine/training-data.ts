// The stages before the first step: photos and class pictures as latents, captions as text states. Each is computed once and kept.
import { assertExists } from '../base/assert';
import { sizeOf } from '../onnx/graph';
import type { LatentShape } from '../models/stable-diffusion';
import { getLatents, putLatents } from '../storage/latents';
import type { Run } from '../storage/runs';
import type { Caption, DreamboothData, Latents } from '../training/batch';
import { squareCrop } from '../training/images-crop';
import { resampleRgb } from '../training/images-resample';
import { flipHorizontal, toPlanarTensor } from '../training/images';
import type { TrainingSettings } from '../training/settings';
import type { TrainingEvent, TrainingStage } from './contract';
import type { BaseModel } from './base-model';
import type { Component } from './model-parts';
import { decodePhoto } from './decode-photo';
import { encodePicture } from './pictures';
import { drawLatents } from './draw';
import type { Pipeline } from './pipeline';
import { encodePrompt } from './prompts';
import { samplingMemory } from './sampling-memory';
import { photoShape } from './training-plan';

/** How many class pictures are drawn in one UNet batch: the most that fit. */
const classBatches = [4, 2, 1] as const;

type Stage<T> = AsyncGenerator<TrainingEvent, T, void>;

/** The prompt of the class pictures: the photos' caption without the subject word. */
const classPrompt = (className: string): string => `a photo of a ${className.trim()}`;

/** Where a photo's latents are kept; another model of the same name, or another version of it, has its own. */
export const photoKey = ({ manifest }: BaseModel, runId: string, photoId: string): string =>
  `${runId}/photo ${manifest.id} ${weightsOf(manifest, 'vae')} ${manifest.resolution} ${photoId}`;

/** Tells the versions of a component apart. */
const weightsOf = ({ files }: BaseModel['manifest'], component: Component): string =>
  files
    .filter(({ path }) => path.startsWith(`${component}/`) && path.endsWith('.safetensors'))
    .map(({ sha256 }) => sha256.slice(0, 12))
    .join();

/** Everything that the batches of a run are made of. */
export async function* prepareData(
  pipeline: Pipeline,
  run: Run,
  settings: TrainingSettings,
  signal: AbortSignal,
): Stage<DreamboothData> {
  const photos = yield* encodePhotos(pipeline, run, settings, signal);
  const prompts = [...run.photos.map(({ caption }) => caption), classPrompt(run.className)];
  const captions = yield* encodeCaptions(pipeline, prompts, settings, signal);
  const classImages = settings.priorPreservation
    ? yield* drawClassImages(pipeline, prompts.at(-1)!, settings, signal)
    : [];
  return {
    photos: photos.map((photo, i) => ({ ...photo, caption: assertExists(captions[i], 'caption') })),
    classImages,
    classCaption: captions.at(-1),
  };
}

const started = (stage: TrainingStage, total: number): TrainingEvent => ({
  kind: 'stage-start',
  stage,
  total,
});
const progressed = (stage: TrainingStage, end: number, total: number): TrainingEvent => ({
  kind: 'stage-progress',
  stage,
  end,
  total,
});

type EncodedPhoto = { readonly plain: Latents; readonly mirrored: Latents };

/** Each photo and its mirror image through the autoencoder, once for a model and size. */
async function* encodePhotos(
  pipeline: Pipeline,
  { id, photos }: Run,
  settings: TrainingSettings,
  signal: AbortSignal,
): Stage<EncodedPhoto[]> {
  const size = pipeline.model.manifest.resolution;
  const encoded: EncodedPhoto[] = [];
  yield started('photos', photos.length);
  for (const photo of photos) {
    signal.throwIfAborted();
    const key = photoKey(pipeline.model, id, photo.id);
    const known = await loadPair(key);
    if (known) encoded.push(known);
    else {
      const { rgba, rgbaWidth, rgbaHeight } = await decodePhoto(photo.file, { name: photo.name });
      const rgb = resampleRgb(rgba, rgbaWidth, rgbaHeight, squareCrop(rgbaWidth, rgbaHeight), size);
      const tensor = toPlanarTensor(rgb, size);
      const plain = await encodePicture(pipeline, tensor, size);
      const mirrored = settings.flip
        ? await encodePicture(pipeline, flipHorizontal(tensor, size), size)
        : plain;
      if (settings.flip) await storePair(key, { plain, mirrored });
      encoded.push({ plain, mirrored });
    }
    yield progressed('photos', encoded.length, photos.length);
  }
  return encoded;
}

async function storePair(key: string, { plain, mirrored }: EncodedPhoto): Promise<void> {
  const parts = [plain.mean, mirrored.mean, plain.deviation, mirrored.deviation].filter(
    (part) => part !== undefined,
  );
  const data = new Float32Array(parts.length * plain.mean.length);
  parts.forEach((part, i) => {
    data.set(part, i * plain.mean.length);
  });
  await putLatents(key, { shape: [parts.length, plain.mean.length], data });
}

async function loadPair(key: string): Promise<EncodedPhoto | undefined> {
  const stored = await getLatents(key);
  if (!stored) return undefined;
  const [parts, length] = stored.shape as readonly [number, number];
  const part = (i: number) => (i < parts ? stored.data.slice(i * length, (i + 1) * length) : undefined);
  return {
    plain: { mean: part(0)!, deviation: part(2) },
    mirrored: { mean: part(1)!, deviation: part(3) },
  };
}

/** Captions as hidden states, or as token ids where the text encoder is trained with the UNet. Equal captions are encoded once. */
async function* encodeCaptions(
  pipeline: Pipeline,
  prompts: readonly string[],
  settings: TrainingSettings,
  signal: AbortSignal,
): Stage<Caption[]> {
  const distinct = [...new Set(prompts)];
  const captions = new Map<string, Caption>();
  yield started('captions', distinct.length);
  for (const prompt of distinct) {
    signal.throwIfAborted();
    captions.set(
      prompt,
      settings.trainTextEncoder
        ? { ids: pipeline.model.tokenizer.encode(prompt).ids }
        : { context: await encodePrompt(pipeline, prompt) },
    );
    yield progressed('captions', captions.size, distinct.length);
  }
  return prompts.map((prompt) => assertExists(captions.get(prompt), prompt));
}

/**
 * Pictures of the class as the untrained model draws them, for prior preservation (Ruiz et al. 2023, section 3.3). They stay latents:
 * decoding and encoding them again would only lose. Kept in storage batch by batch, so a stopped run loses none.
 */
async function* drawClassImages(
  pipeline: Pipeline,
  prompt: string,
  settings: TrainingSettings,
  signal: AbortSignal,
): Stage<Latents[]> {
  const { model, runtime } = pipeline;
  const { manifest } = model;
  const { classImages: total, classImageSteps: steps, seed } = settings;
  const [, ...size] = photoShape(model);
  const fits = (count: number) =>
    samplingMemory(pipeline, { shape: [count, ...size], guided: true }) <= runtime.memoryLimitBytes;
  const classBatch = classBatches.find(fits) ?? 1;
  const shape: LatentShape = [classBatch, ...size];
  const length = sizeOf(size);
  const latents: Latents[] = [];
  yield started('class-images', total);
  for (let first = 0; first < total; first += classBatch) {
    const batchKey = classBatch === 4 ? first : `${first} of ${classBatch}`;
    const key = [manifest.id, weightsOf(manifest, 'unet'), 'class', prompt, steps, seed, batchKey].join(' ');
    let batch = (await getLatents(key))?.data;
    if (!batch) {
      const drawn = await drawLatents(
        pipeline,
        {
          shape,
          prompt,
          steps,
          seeds: Array.from({ length: classBatch }, (_, i) => (seed + first + i) % 2 ** 32),
        },
        signal,
      );
      batch = Float32Array.from((await runtime.read(drawn)) as Float32Array);
      drawn.dispose();
      await putLatents(key, { shape: [...shape], data: batch });
    }
    for (let i = 0; i < classBatch && latents.length < total; i++)
      latents.push({ mean: batch.slice(i * length, (i + 1) * length), deviation: undefined });
    yield progressed('class-images', latents.length, total);
  }
  return latents;
}
