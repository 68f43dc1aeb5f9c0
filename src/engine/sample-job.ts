// Drawing pictures, as a job: prompt → latents → PNG, some at once, with a live preview of the first of them.
import { AppError } from '../base/errors';
import type { Job } from '../base/job';
import { sample } from '../diffusion/sample';
import { planSampling } from '../diffusion/samplers/samplers';
import type { LatentShape } from '../models/stable-diffusion';
import type { DeviceTensor } from '../runtime/runtime';
import type { ModelFileOptions } from '../storage/model-files';
import type { BaseModel } from './base-model';
import type { SampleEvent, SampleRequest, SampleResult } from './contract';
import { openDenoiser } from './denoiser';
import type { DecodePicture } from './decode-photo';
import type { EncodePng } from './encode-png';
import type { LivePreview } from './live-preview';
import { withParameters } from './picture-parameters';
import { decodeBatch, type Picture } from './pictures';
import type { Pipeline } from './pipeline';
import { encodePrompts } from './prompts';
import { samplingFailure, samplingMemory, samplingNeeds } from './sampling-memory';
import { openStart, type OpenedStart } from './start-picture';
import { loadSubject, uploadAdapters } from './subjects';

/** What drawing takes from its surroundings. */
export type DrawPlatform = {
  readonly encodePng: EncodePng;
  readonly decodePicture: DecodePicture;
  readonly now: () => number; // ms
  readonly root?: ModelFileOptions['root']; // where the preview decoder lies
};

/**
 * Draws request.images pictures, request.batchSize of them in one UNet call where memory has room for so many; picture i has the seed
 * request.seeds[i], or request.seed + i, and is the same in any batch. Aborts between steps.
 */
export async function* drawImages(
  pipeline: Pipeline,
  request: SampleRequest,
  signal: AbortSignal,
  { encodePng, decodePicture, now, root }: DrawPlatform,
): Job<SampleEvent, SampleResult> {
  const { model } = pipeline;
  checkRequest(model, request);
  const { batchSize, spareBytes } = chooseBatch(pipeline, request);
  const { subjectId, checkpointStep, subjectStrength, images, seed } = request;
  const subject = subjectId === undefined ? undefined : await loadSubject(model, subjectId, checkpointStep);
  const uploaded = subject && uploadAdapters(pipeline, subject.modules, subjectStrength);
  const previews = request.livePreview ? await import('./live-preview') : undefined;
  const preview = previews && new previews.LivePreview(pipeline, { spareBytes, now, root });
  const begin = now();
  try {
    const start = await openStart(pipeline, request, decodePicture);
    const texts = await encodePrompts(pipeline, request, uploaded?.adapters.text);
    const seeds = request.seeds ?? Array.from({ length: images }, (_, i) => (seed + i) % 2 ** 32);
    for (let first = 0; first < images; first += batchSize) {
      const batch = seeds.slice(first, first + batchSize);
      const given = { ...texts, request, first, seeds: batch, start, adapter: uploaded?.adapters.unet };
      const latents = yield* drawBatch(pipeline, given, preview, signal);
      try {
        let image = first;
        for await (const { rgba, width, height } of decodeBatch(pipeline, latents)) {
          const own = batch[image - first]!;
          const png = await encodePng(rgba, width, height);
          const named = await withParameters(png, model, request, own, subject?.name);
          yield { kind: 'image-ready', image, seed: own, png: named };
          image++;
          if (image < images) signal.throwIfAborted();
        }
      } finally {
        latents.dispose();
      }
    }
  } finally {
    await preview?.close();
    uploaded?.dispose();
  }
  return { images, secondsPerStep: (now() - begin) / 1000 / (images * request.steps) };
}

type Batch = {
  readonly request: SampleRequest;
  readonly first: number; // of the request's pictures
  readonly start: OpenedStart | undefined;
} & Pick<Parameters<typeof openDenoiser>[1], 'seeds' | 'conditional' | 'unconditional' | 'adapter'>;

/** The final latents of some pictures, drawn together; they become the caller's. */
async function* drawBatch(
  pipeline: Pipeline,
  { request, first: image, start, ...given }: Batch,
  preview: LivePreview | undefined,
  signal: AbortSignal,
): Job<SampleEvent, DeviceTensor> {
  const { model } = pipeline;
  const { guidance, steps, images } = request;
  const batch = given.seeds.length;
  const rescale = model.manifest.sampling.guidanceRescale;
  const shape = latentShape(model, request, batch);
  const denoiser = await openDenoiser(pipeline, { shape, guidance, rescale, ...given });
  // In diffusers' order of draws: the picture's posterior, the noise, and for a mask the masked picture's posterior, which the four
  // channels never see.
  const picture = start && denoiser.start(start.latents);
  const noise = denoiser.initial();
  if (start?.mask && start.latents.deviation) denoiser.initial().dispose();
  const mask = start?.mask && denoiser.mask(start.mask);
  try {
    const plan = planSampling(model.schedule, request.sampler, steps, {
      sigmas: request.sigmas,
      strength: start?.strength,
    });
    const job = sample(plan, denoiser, { noise, picture, mask, isPreviewDue: preview?.isDue }, signal);
    for (;;) {
      const next = await job.next();
      if (next.done) return next.value;
      const { step, stepCount, x0 } = next.value; // Heun calls the model more often than it has steps
      yield { kind: 'step-end', step, steps: stepCount, image, batch, images };
      if (x0 && preview)
        yield { kind: 'preview-ready', image, bitmap: await bitmapOf(await preview.paint(x0)) };
    }
  } finally {
    for (const tensor of [noise, picture, mask]) tensor?.dispose();
    denoiser.close();
  }
}

const bitmapOf = ({ rgba, width, height }: Picture): Promise<ImageBitmap> =>
  createImageBitmap(new ImageData(rgba, width, height));

/** [lowest, highest] of what a request may ask for. */
const ranges = {
  steps: [1, 1000],
  guidance: [0, 50],
  seed: [0, 2 ** 32 - 1],
  images: [1, 100],
  batchSize: [1, 16],
  subjectStrength: [0, 2],
  width: [16, 4096],
  height: [16, 4096],
} as const;

function checkRequest(model: BaseModel, request: SampleRequest): void {
  for (const [setting, [lowest, highest]] of Object.entries(ranges)) {
    const value = request[setting as keyof typeof ranges] ?? lowest;
    const isWhole = Number.isInteger(value) || setting === 'guidance' || setting === 'subjectStrength';
    if (!(value >= lowest && value <= highest && isWhole))
      throw new AppError('bad-settings', { setting, reason: `between ${lowest} and ${highest}`, value });
  }
  const { seeds, images } = request;
  const [lowest, highest] = ranges.seed;
  const isSeed = (value: number) => Number.isInteger(value) && value >= lowest && value <= highest;
  if (seeds && !(seeds.length === images && seeds.every(isSeed)))
    throw new AppError('bad-settings', {
      setting: 'seeds',
      reason: `${images} from ${lowest} to ${highest}`,
    });
  const step = sizeStep(model);
  for (const setting of ['width', 'height'] as const)
    if (request[setting] % step !== 0)
      throw new AppError('bad-settings', {
        setting,
        reason: `a multiple of ${step}`,
        value: request[setting],
      });
}

/**
 * How many pictures one UNet call draws, and what is left of the memory then: as many as asked for, halved until they fit. Fails before
 * anything is loaded where not even one does: afterwards the tab may be gone.
 */
function chooseBatch(
  pipeline: Pipeline,
  request: SampleRequest,
): { readonly batchSize: number; readonly spareBytes: number } {
  const { guidance, start } = request;
  for (let n = Math.min(request.batchSize ?? 1, request.images); ; n = Math.ceil(n / 2)) {
    const shape = latentShape(pipeline.model, request, n);
    const needs = samplingNeeds(pipeline, { shape, guided: guidance > 1, fromPicture: start !== undefined });
    const failure = samplingFailure(pipeline, needs);
    if (!failure) return { batchSize: n, spareBytes: pipeline.runtime.memoryLimitBytes - needs.neededBytes };
    if (n === 1) throw failure;
  }
}

const latentShape = (
  { unet, pixelsPerLatent }: BaseModel,
  { width, height }: Pick<SampleRequest, 'width' | 'height'>,
  n: number,
): LatentShape => [n, unet.in_channels, height / pixelsPerLatent, width / pixelsPerLatent];

/** Pictures that are advised to be drawn together at a model's own size: a processor gains nothing by it, a GPU should keep half its memory. */
export function advisedBatchSize(pipeline: Pipeline): number {
  const { runtime, model } = pipeline;
  if (runtime.backend === 'wasm') return 1;
  const { resolution, sampling } = model.manifest;
  const fits = (n: number) => {
    const shape = latentShape(model, { width: resolution, height: resolution }, n);
    return samplingMemory(pipeline, { shape, guided: sampling.guidance > 1 }) <= runtime.memoryLimitBytes / 2;
  };
  return [4, 2].find(fits) ?? 1;
}

/**
 * Pixels that width and height are multiples of: 8 as in diffusers, or what a latent spans where that is more. Odd sides are rounded up on
 * the UNet's way down, but where its convolutions pad nothing (no published model), sides must be divisible on every level.
 */
export const sizeStep = ({ unet, pixelsPerLatent }: BaseModel): number =>
  unet.downsample_padding === 1
    ? Math.max(8, pixelsPerLatent)
    : pixelsPerLatent * 2 ** (unet.block_out_channels.length - 1);
