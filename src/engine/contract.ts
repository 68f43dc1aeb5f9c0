// What the page may ask of the engine worker, and what it answers. Types only: both sides import it with `import type`.
// Every method has the shape method(request, emit, signal): plain data in, events through `emit` (awaited), one result out.
import type { Emit } from '../base/job';
import type { SamplerName } from '../diffusion/samplers/samplers';
import type { SigmaSpacing } from '../diffusion/plan';
import type { RecipeName, TrainingSettings, settingRanges } from '../training/settings';
import type { Tier } from '../training/tier';

export type { RecipeName, SamplerName, SigmaSpacing, TrainingSettings };
type SettingRanges = typeof settingRanges;
export type Compute = 'automatic' | 'webgpu' | 'wasm';
/** automatic: pictures in float16 where the device computes it right; full: everything in float32. Training is float32 always. */
type Precision = 'automatic' | 'full';
/** In how many bits the UNet's large weights are kept. */
export type Weights = 'original' | '8-bit' | '4-bit';
/** How a person wants the engine to be. */
export type EngineChoices = {
  readonly compute: Compute;
  readonly precision: Precision;
  readonly weights: Weights;
};
type Backend = 'webgpu' | 'wasm';

/** Bytes in use, by what they hold ("UNet weights", "training step", …). */
export type MemoryUse = Readonly<Record<string, number>>;

export type EngineInfo = {
  readonly backend: Backend;
  readonly threads: number; // 1 on WebGPU
  readonly adapter: string; // the GPU's own words, '' on wasm
  readonly memoryLimitBytes: number; // what one job may use: the wasm heap, or an estimate for the GPU
  readonly fallbackReason: string; // why automatic chose wasm, '' where it did not
  readonly samplingType: 'float32' | 'float16'; // what pictures are computed in
  readonly noHalfReason: string; // why that is not float16, '' where it is, or where full precision was chosen
};

export type ModelInfo = {
  readonly id: string;
  readonly name: string;
  readonly license: string;
  readonly sizeBytes: number;
  readonly unetBytes: Readonly<Record<Weights, number>>; // what the UNet takes on this device, by choice
  readonly resolution: number; // pixels of a side that the model was trained for
  readonly sizeStep: number; // width and height are multiples of this
  readonly samplers: readonly SamplerName[];
  readonly sigmaSamplers: readonly SamplerName[]; // those of them that SampleRequest.sigmas changes
  readonly sampling: {
    readonly sampler: SamplerName;
    readonly steps: number;
    readonly guidance: number;
    readonly batchSize: number; // 1 where drawing several at once is no faster, or does not fit
  };
  readonly takesPreviewDecoder: boolean; // live previews are rough without it
  readonly recipes: Readonly<Record<RecipeName, TrainingSettings>>;
  readonly settingRanges: SettingRanges;
  /** Tools that can load a LoRA of this base: the bundled base is unknown to AUTOMATIC1111 and ComfyUI. */
  readonly loraLoadsIn: { readonly kohya: readonly string[]; readonly peft: readonly string[] };
};

export type LoadModelEvent =
  | {
      readonly kind: 'download-progress';
      readonly file: string;
      readonly loadedBytes: number;
      readonly totalBytes: number;
    }
  | { readonly kind: 'stage-start'; readonly stage: 'download' | 'verify' | 'prepare' };

export type TrainingEstimate = {
  readonly memoryBytes: number; // peak: weights, live tensors, optimizer state
  readonly memoryLimitBytes: number;
  readonly tensorBytes: number; // the largest single tensor
  readonly tensorLimitBytes: number; // what the device can bind at once
  readonly tier: Tier;
  readonly trainedParameters: number;
  readonly loraFileBytes: number;
  readonly secondsPerStep: number | undefined; // from the last measured step of this shape; undefined before the first
  readonly secondsTotal: number | undefined; // class pictures and steps together
  readonly fits: boolean;
};

export type TrainingStage = 'load' | 'photos' | 'captions' | 'class-images' | 'compile' | 'train';

export type TrainingEvent =
  | { readonly kind: 'stage-start'; readonly stage: TrainingStage; readonly total: number }
  | {
      readonly kind: 'stage-progress';
      readonly stage: TrainingStage;
      readonly end: number;
      readonly total: number;
    }
  | {
      readonly kind: 'step-end';
      readonly step: number; // 1-based: steps finished
      readonly steps: number;
      readonly loss: number;
      readonly gradNorm: number;
      readonly learningRate: number;
      readonly secondsPerStep: number; // moving average
    }
  /** Loss on the same photos, time steps and noise every time: far smoother than the steps' own. */
  | { readonly kind: 'evaluation-end'; readonly step: number; readonly loss: number }
  | { readonly kind: 'preview-ready'; readonly step: number; readonly image: Blob }
  | { readonly kind: 'checkpoint-saved'; readonly step: number };

export type TrainingResult = { readonly step: number; readonly steps: number };

/**
 * weighted: AUTOMATIC1111's (word:1.2), [word] and BREAK, and prompts of any length; plain: the letters as they stand, cut off where the
 * text encoder has no more places.
 */
export type PromptSyntax = 'plain' | 'weighted';

/** Where image-to-image starts; with a mask it is inpainting. Picture and mask are cut to the request's aspect around their middles. */
export type StartPicture = {
  readonly picture: Blob;
  readonly strength: number; // over 0 to 1: the part of the steps that is taken
  readonly mask: Blob | undefined; // an opaque picture of the start picture's aspect: white is drawn, black stays
};

export type SampleRequest = {
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly promptSyntax: PromptSyntax;
  readonly subjectId: string | undefined; // a run or an imported LoRA, undefined = the base model
  readonly checkpointStep: number | undefined; // undefined = the newest weights
  readonly subjectStrength: number; // 0 to 2
  readonly steps: number;
  readonly guidance: number;
  readonly seed: number; // picture i uses seed + i
  readonly seeds?: readonly number[]; // one for each of `images`, in place of seed + i
  readonly width: number;
  readonly height: number;
  readonly images: number;
  readonly batchSize?: number; // pictures in one UNet call, 1 where left out; fewer where memory has no room for so many
  readonly sampler: SamplerName;
  readonly sigmas: SigmaSpacing; // samplers without sigmas ignore it
  readonly start?: StartPicture;
  readonly livePreview: boolean; // the picture as it stands, as often as it delays nothing
};

export type SampleEvent =
  | { readonly kind: 'queued' } // something else holds the memory
  | {
      readonly kind: 'step-end';
      readonly step: number; // model calls of this picture that are done, of `steps`: some samplers make more than the request has steps
      readonly steps: number;
      readonly image: number; // 0-based picture of the request
      readonly batch: number; // pictures that are drawn together, `image` and the ones after it
      readonly images: number;
    }
  | { readonly kind: 'preview-ready'; readonly image: number; readonly bitmap: ImageBitmap } // of the first of a batch
  | { readonly kind: 'image-ready'; readonly image: number; readonly seed: number; readonly png: Blob };

export type SampleResult = { readonly images: number; readonly secondsPerStep: number };

export type LoraFormat = 'kohya' | 'peft';
export type ExportRequest = {
  readonly subjectId: string;
  readonly checkpointStep: number | undefined;
  readonly format: LoraFormat;
};
export type ExportResult = {
  readonly fileName: string;
  readonly bytes: Uint8Array;
  readonly tensors: number;
};

export type PhotoInfo = {
  readonly id: string; // SHA-256 of the file's bytes
  readonly width: number;
  readonly height: number;
  readonly thumbnail: Blob;
};

/** The engine, as the page sees it through comlink. Lives in engine.worker.ts. */
export type EngineApi = {
  open(request: EngineChoices, emit: Emit<never>, signal: AbortSignal): Promise<EngineInfo>;
  loadModel(
    request: { readonly modelId: string },
    emit: Emit<LoadModelEvent>,
    signal: AbortSignal,
  ): Promise<ModelInfo>;
  estimate(
    request: { readonly settings: TrainingSettings; readonly photos: number },
    emit: Emit<never>,
    signal: AbortSignal,
  ): Promise<TrainingEstimate>;
  /** Trains the stored run from its newest checkpoint, or from the start. Abort saves a checkpoint, then rejects: pause, stop and Continue are this one call. */
  train(
    request: { readonly runId: string },
    emit: Emit<TrainingEvent>,
    signal: AbortSignal,
  ): Promise<TrainingResult>;
  sample(request: SampleRequest, emit: Emit<SampleEvent>, signal: AbortSignal): Promise<SampleResult>;
  exportLora(request: ExportRequest, emit: Emit<never>, signal: AbortSignal): Promise<ExportResult>;
  /** Reads a kohya, PEFT or diffusers LoRA file, checks it against the loaded model, stores it as a subject and answers its id. */
  importLora(
    request: { readonly file: Blob; readonly fileName: string },
    emit: Emit<never>,
    signal: AbortSignal,
  ): Promise<{ readonly subjectId: string }>;
  memory(request: Record<string, never>, emit: Emit<never>, signal: AbortSignal): Promise<MemoryUse>;
};

/** Photo work, in codec.worker.ts, so that it never waits for a training step. */
export type CodecApi = {
  preparePhoto(
    request: { readonly file: Blob; readonly name: string },
    emit: Emit<never>,
    signal: AbortSignal,
  ): Promise<PhotoInfo>;
  /** Rejects where the file is no picture that can be started from, whatever its size. */
  checkPicture(
    request: { readonly file: Blob; readonly name: string },
    emit: Emit<never>,
    signal: AbortSignal,
  ): Promise<void>;
};

/** What a model of the hub would cost and be. Nothing of it is stored yet, unless other models share its files. */
export type ModelOffer = {
  readonly id: string;
  readonly commit: string; // what will be downloaded, whatever the branch says later
  readonly license: string;
  readonly resolution: number; // pixels of a side
  readonly isGated: boolean;
  readonly sizeBytes: number; // of all files, as the hub's list says
  readonly storedBytes: number; // of them, already here
  readonly freeBytes: number | undefined; // what the browser still gives, where it tells
};

export type DownloadEvent = {
  readonly kind: 'download-progress';
  readonly loadedBytes: number; // of all files together, what is stored
  readonly totalBytes: number;
};

/** Models of the Hugging Face hub, in library.worker.ts. `token` is the person's own, for this request alone. */
export type LibraryApi = {
  /** Reads kilobytes and answers what the model is; refuses one that cannot be used. */
  inspectModel(
    request: { readonly id: string; readonly revision: string; readonly token: string | undefined },
    emit: Emit<never>,
    signal: AbortSignal,
  ): Promise<ModelOffer>;
  /** Copies a model that a person has as files into this browser; answers its id. Abort rejects and keeps what was copied for the next try. */
  importModel(
    request: { readonly files: readonly { readonly path: string; readonly file: Blob }[] },
    emit: Emit<DownloadEvent>,
    signal: AbortSignal,
  ): Promise<string>;
  /** Downloads what is missing of the model, verified; goes on where an earlier call ended. Abort rejects and keeps what arrived. */
  downloadModel(
    request: { readonly id: string; readonly commit: string; readonly token: string | undefined },
    emit: Emit<DownloadEvent>,
    signal: AbortSignal,
  ): Promise<void>;
};
