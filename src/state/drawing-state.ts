// What a person asked to be drawn, and the drawing under way. One at a time, whichever page asked.
import type { ModelInfo, PromptSyntax, SampleRequest, SamplerName, SigmaSpacing } from '../engine/contract';
import type { Failure } from './failure';

/** The form. A setting that nobody touched is undefined and follows the model. */
export type DrawForm = {
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly promptSyntax: PromptSyntax;
  readonly subjectId: string | undefined;
  readonly checkpointStep: number | undefined;
  readonly subjectStrength: number;
  readonly seed: number;
  readonly images: number;
  readonly steps: number | undefined;
  readonly guidance: number | undefined;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly sampler: SamplerName | undefined;
  readonly sigmas: SigmaSpacing;
};

export type DrawPlace = 'create' | 'chat';

export type Drawing =
  | { readonly phase: 'idle' }
  | {
      readonly phase: 'running';
      readonly place: DrawPlace;
      readonly controller: AbortController;
      readonly isQueued: boolean;
      readonly image: number; // 0-based
      readonly images: number;
      readonly step: number; // of this image
      readonly steps: number;
    }
  | { readonly phase: 'failed'; readonly place: DrawPlace; readonly failure: Failure };

export const emptyForm: DrawForm = {
  prompt: '',
  negativePrompt: '',
  promptSyntax: 'weighted',
  subjectId: undefined,
  checkpointStep: undefined,
  subjectStrength: 1,
  seed: 0,
  images: 1,
  steps: undefined,
  guidance: undefined,
  width: undefined,
  height: undefined,
  sampler: undefined,
  sigmas: 'schedule',
};

/** The form with the model's own values where nobody chose. */
export function requestOf(form: DrawForm, model: ModelInfo): SampleRequest {
  const { sampling, resolution } = model;
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
    images: form.images,
    sampler: form.sampler ?? sampling.sampler,
    sigmas: form.sigmas,
    previewEvery: 2,
  };
}

/** Part of the drawing that is done, 0 to 1. */
export const drawnPart = ({ image, images, step, steps }: Extract<Drawing, { phase: 'running' }>): number =>
  images * steps === 0 ? 0 : (image * steps + step) / (images * steps);
