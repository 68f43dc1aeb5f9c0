// What a person asked to be drawn, and the drawing under way. One at a time, whichever page asked.
import type {
  ModelInfo,
  PromptSyntax,
  SampleRequest,
  SamplerName,
  StartPicture,
  SigmaSpacing,
} from '../engine/contract';
import type { Failure } from './failure';
import { parseSeedList } from './seed-list';

/** The form. A setting that nobody touched is undefined and follows the model. */
export type DrawForm = {
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly promptSyntax: PromptSyntax;
  readonly subjectId: string | undefined;
  readonly checkpointStep: number | undefined;
  readonly subjectStrength: number;
  readonly seed: number;
  readonly seedList: string; // '' = Seed and the ones after it; see seed-list.ts
  readonly strength: number; // of the start picture
  readonly images: number;
  readonly batchSize: number | undefined;
  readonly livePreview: boolean;
  readonly steps: number | undefined;
  readonly guidance: number | undefined;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly sampler: SamplerName | undefined;
  readonly sigmas: SigmaSpacing;
};

/** The least strength that is offered: at 0 nothing would be drawn. */
export const leastStrength = 0.05;

/** The start picture and where it is painted over; kept for this visit. */
export type PaintedPicture = Pick<StartPicture, 'picture' | 'mask'>;

export type DrawPlace = 'create' | 'chat';

export type Drawing =
  | { readonly phase: 'idle' }
  | {
      readonly phase: 'running';
      readonly place: DrawPlace;
      readonly controller: AbortController;
      readonly isQueued: boolean;
      readonly image: number; // 0-based
      readonly batch: number; // pictures drawn together, from `image` on
      readonly images: number;
      readonly step: number; // of this image
      readonly steps: number;
    }
  | { readonly phase: 'failed'; readonly place: DrawPlace; readonly failure: Failure };

/** What a model advises, in place of what was chosen for another. */
export const asAdvised = {
  batchSize: undefined,
  steps: undefined,
  guidance: undefined,
  width: undefined,
  height: undefined,
  sampler: undefined,
  sigmas: 'schedule',
} as const satisfies Partial<DrawForm>;

export const emptyForm: DrawForm = {
  prompt: '',
  negativePrompt: '',
  promptSyntax: 'weighted',
  subjectId: undefined,
  checkpointStep: undefined,
  subjectStrength: 1,
  seed: 0,
  seedList: '',
  strength: 0.75, // AUTOMATIC1111's: the picture's composition stays where diffusers' 0.8 often loses it
  images: 1,
  livePreview: true,
  ...asAdvised,
};

/** The form with the model's own values where nobody chose. */
export function requestOf(form: DrawForm, model: ModelInfo, start?: PaintedPicture): SampleRequest {
  const { sampling, resolution } = model;
  const seeds = parseSeedList(form.seedList) ?? [];
  return {
    prompt: form.prompt.trim(),
    negativePrompt: form.negativePrompt.trim(),
    promptSyntax: form.promptSyntax,
    subjectId: form.subjectId,
    checkpointStep: form.checkpointStep,
    subjectStrength: form.subjectStrength,
    steps: form.steps ?? sampling.steps,
    guidance: form.guidance ?? sampling.guidance,
    seed: form.seed,
    width: form.width ?? resolution,
    height: form.height ?? resolution,
    images: seeds.length || form.images,
    batchSize: form.batchSize ?? sampling.batchSize,
    ...(seeds.length > 0 ? { seeds } : {}),
    ...(start ? { start: { ...start, strength: Math.max(leastStrength, form.strength) } } : {}),
    sampler: form.sampler ?? sampling.sampler,
    sigmas: form.sigmas,
    livePreview: form.livePreview,
  };
}

/** Part of the drawing that is done, 0 to 1. */
export const drawnPart = ({
  image,
  batch,
  images,
  step,
  steps,
}: Extract<Drawing, { phase: 'running' }>): number =>
  images * steps === 0 ? 0 : (image * steps + batch * step) / (images * steps);
