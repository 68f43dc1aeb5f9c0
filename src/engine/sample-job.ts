// Drawing pictures, as a job: prompt → latents → PNG, with a live preview, one picture after the other.
import { AppError } from '../base/errors';
import type { Job } from '../base/job';
import { sample } from '../diffusion/sample';
import { planSampling, sigmaSamplers } from '../diffusion/samplers/samplers';
import type { LatentShape } from '../models/stable-diffusion';
import { formatParameters, parametersKeyword } from '../weights/png-parameters';
import { insertPngText } from '../weights/png-text';
import type { BaseModel } from './base-model';
import type { SampleEvent, SampleRequest, SampleResult } from './contract';
import { openDenoiser } from './denoiser';
import type { DecodePicture } from './decode-photo';
import type { EncodePng } from './encode-png';
import { decodeLatents, type Picture } from './pictures';
import type { Pipeline } from './pipeline';
import { encodePrompts } from './prompts';
import { checkSamplingMemory } from './sampling-memory';
import { openStart, type OpenedStart } from './start-picture';
import { loadSubject, uploadAdapters } from './subjects';

/** Draws request.images pictures; picture i has the seed request.seeds[i], or request.seed + i. Aborts between steps. */
export async function* drawImages(
  pipeline: Pipeline,
  request: SampleRequest,
  signal: AbortSignal,
  { encodePng, decodePicture }: { readonly encodePng: EncodePng; readonly decodePicture: DecodePicture },
): Job<SampleEvent, SampleResult> {
  const { model } = pipeline;
  checkRequest(model, request);
  checkMemory(pipeline, request);
  const { subjectId, checkpointStep, subjectStrength, images, seed, seeds } = request;
  const subject = subjectId === undefined ? undefined : await loadSubject(model, subjectId, checkpointStep);
  const uploaded = subject && uploadAdapters(pipeline, subject.modules, subjectStrength);
  const begin = performance.now();
  try {
    const text = uploaded?.adapters.text;
    const start = await openStart(pipeline, request, decodePicture);
    const { conditional, unconditional } = await encodePrompts(pipeline, request, text);
    for (let image = 0; image < images; image++) {
      const own = seeds?.[image] ?? (seed + image) % 2 ** 32;
      const picture = yield* drawOne(
        pipeline,
        { request, image, seed: own, conditional, unconditional, start, adapter: uploaded?.adapters.unet },
        signal,
      );
      const png = await encodePng(picture.rgba, picture.width, picture.height);
      yield {
        kind: 'image-ready',
        image,
        seed: own,
        png: await withParameters(png, model, request, own, subject?.name),
      };
    }
  } finally {
    uploaded?.dispose();
  }
  return { images, secondsPerStep: (performance.now() - begin) / 1000 / (images * request.steps) };
}

type One = {
  readonly request: SampleRequest;
  readonly image: number;
  readonly seed: number;
  readonly start: OpenedStart | undefined;
} & Pick<Parameters<typeof openDenoiser>[1], 'conditional' | 'unconditional' | 'adapter'>;

async function* drawOne(
  pipeline: Pipeline,
  { request, image, seed, conditional, unconditional, start, adapter }: One,
  signal: AbortSignal,
): Job<SampleEvent, Picture> {
  const { model } = pipeline;
  const { width, height, guidance, steps, images, previewEvery } = request;
  const shape: LatentShape = [
    1,
    model.unet.in_channels,
    height / model.pixelsPerLatent,
    width / model.pixelsPerLatent,
  ];
  const rescale = model.manifest.sampling.guidanceRescale;
  const denoiser = await openDenoiser(pipeline, {
    shape,
    conditional,
    unconditional,
    guidance,
    rescale,
    adapter,
    seeds: [seed],
  });
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
    const job = sample(plan, denoiser, { noise, picture, mask, previewEvery }, signal);
    for (;;) {
      const next = await job.next();
      if (next.done) {
        const drawn = await decodeLatents(pipeline, next.value);
        next.value.dispose();
        return drawn;
      }
      const { step, stepCount, x0 } = next.value; // Heun calls the model more often than it has steps
      yield { kind: 'step-end', step, steps: stepCount, image, images };
      if (x0)
        yield { kind: 'preview-ready', image, bitmap: await bitmapOf(await decodeLatents(pipeline, x0)) };
    }
  } finally {
    for (const tensor of [noise, picture, mask]) tensor?.dispose();
    denoiser.close();
  }
}

const bitmapOf = ({ rgba, width, height }: Picture): Promise<ImageBitmap> =>
  createImageBitmap(new ImageData(rgba, width, height));

/** The PNG with its settings in the text chunk that AUTOMATIC1111 writes and most tools read. */
async function withParameters(
  png: Blob,
  model: BaseModel,
  request: SampleRequest,
  seed: number,
  subject: string | undefined,
): Promise<Blob> {
  const settings = {
    Steps: String(request.steps),
    Sampler: request.sampler,
    ...(hasOwnSigmas(request) ? {} : { 'Schedule type': scheduleTypes[request.sigmas] }),
    'CFG scale': String(request.guidance),
    Seed: String(seed),
    ...(request.start ? { 'Denoising strength': String(request.start.strength) } : {}),
    Size: `${request.width}x${request.height}`,
    Model: model.manifest.name,
    ...(subject === undefined
      ? {}
      : { Subject: subject, 'Subject strength': String(request.subjectStrength) }),
  };
  const { prompt, negativePrompt } = request;
  const bytes = new Uint8Array(await png.arrayBuffer());
  const text = formatParameters({ prompt, negativePrompt, settings });
  return new Blob([insertPngText(bytes, parametersKeyword, text)], { type: 'image/png' });
}

/** What AUTOMATIC1111 calls the ways to space sigmas. */
const scheduleTypes = { schedule: 'Automatic', karras: 'Karras', exponential: 'Exponential' } as const;

const hasOwnSigmas = ({ sampler, sigmas }: SampleRequest): boolean =>
  sigmas === 'schedule' || !sigmaSamplers.includes(sampler);

/** [lowest, highest] of what a request may ask for. */
const ranges = {
  steps: [1, 1000],
  guidance: [0, 50],
  seed: [0, 2 ** 32 - 1],
  images: [1, 100],
  subjectStrength: [0, 2],
  width: [16, 4096],
  height: [16, 4096],
} as const;

function checkRequest(model: BaseModel, request: SampleRequest): void {
  for (const [setting, [lowest, highest]] of Object.entries(ranges)) {
    const value = request[setting as keyof typeof ranges];
    if (!(value >= lowest && value <= highest))
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

/** Fails before anything is loaded where the picture would not fit: afterwards the tab may be gone. */
function checkMemory(pipeline: Pipeline, { width, height, guidance, start }: SampleRequest): void {
  const { model } = pipeline;
  const side = (pixels: number) => pixels / model.pixelsPerLatent;
  const shape: LatentShape = [1, model.unet.in_channels, side(height), side(width)];
  checkSamplingMemory(pipeline, { shape, guided: guidance > 1, fromPicture: start !== undefined });
}

/** Sides must be divisible all the way down: the autoencoder's levels, then the UNet's. */
export const sizeStep = ({ unet, pixelsPerLatent }: BaseModel): number =>
  pixelsPerLatent * 2 ** (unet.block_out_channels.length - 1);
