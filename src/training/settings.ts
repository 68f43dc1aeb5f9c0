// What a person can set for a training run, with the three recipes. Names follow diffusers' train_dreambooth_lora.py where it has the setting.
import { AppError } from '../base/errors';
import type { Tier } from './tier';

type LoraTargets = 'attention' | 'attention-and-projections' | 'all-layers';
export type LearningRateSchedule = 'constant' | 'cosine';
type MemoryTier = 'automatic' | Tier;
export type RecipeName = 'quick' | 'standard' | 'thorough';

export type TrainingSettings = {
  readonly steps: number;
  readonly learningRate: number;
  readonly lrScheduler: LearningRateSchedule;
  readonly lrWarmupSteps: number;
  readonly rank: number; // alpha = rank, so that every LoRA format loads with scale 1
  readonly targets: LoraTargets;
  readonly trainTextEncoder: boolean;
  readonly batchSize: number; // instance photos a step; as many class pictures join where prior preservation is on
  readonly priorPreservation: boolean;
  readonly priorLossWeight: number;
  readonly classImages: number;
  readonly classImageSteps: number;
  readonly flip: boolean;
  readonly maxGradNorm: number;
  readonly weightDecay: number;
  readonly seed: number;
  readonly checkpointEvery: number; // steps
  readonly previewEvery: number; // steps, 0 = no previews
  readonly evaluateEvery: number; // steps between losses on a fixed set of (photo, time step, noise), 0 = never
  readonly previewPrompt: string; // '' = the instance prompt
  readonly memoryTier: MemoryTier;
};

const standard: TrainingSettings = {
  steps: 400,
  learningRate: 1e-4,
  lrScheduler: 'cosine',
  lrWarmupSteps: 0,
  rank: 16,
  targets: 'all-layers',
  trainTextEncoder: false,
  batchSize: 1,
  priorPreservation: true,
  priorLossWeight: 1,
  classImages: 24,
  classImageSteps: 20,
  flip: true,
  maxGradNorm: 1,
  weightDecay: 1e-2,
  seed: 0,
  checkpointEvery: 50,
  previewEvery: 50,
  evaluateEvery: 25,
  previewPrompt: '',
  memoryTier: 'automatic',
};

/** The three recipes for a model; `overrides` are what the model's own manifest advises (a small model wants a larger learning rate). */
export function recipes(
  overrides: Partial<TrainingSettings> = {},
): Readonly<Record<RecipeName, TrainingSettings>> {
  const base = { ...standard, ...overrides };
  return {
    quick: {
      ...base,
      steps: 150,
      classImages: 8,
      classImageSteps: 12,
      checkpointEvery: 25,
      previewEvery: 25,
      evaluateEvery: 10,
    },
    standard: base,
    thorough: {
      ...base,
      steps: 1000,
      classImages: 48,
      checkpointEvery: 100,
      previewEvery: 100,
    },
  };
}

/** [lowest, highest, whole numbers only] of every numeric setting. */
export const settingRanges = {
  steps: [1, 20000, true],
  learningRate: [1e-7, 1e-1, false],
  lrWarmupSteps: [0, 20000, true],
  rank: [1, 128, true],
  batchSize: [1, 8, true],
  priorLossWeight: [0, 10, false],
  classImages: [1, 200, true],
  classImageSteps: [1, 100, true],
  maxGradNorm: [0.01, 100, false],
  weightDecay: [0, 1, false],
  seed: [0, 2 ** 32 - 1, true],
  checkpointEvery: [1, 10000, true],
  previewEvery: [0, 10000, true],
  evaluateEvery: [0, 10000, true],
} as const satisfies Partial<Record<keyof TrainingSettings, readonly [number, number, boolean]>>;

/** Throws AppError('bad-settings') for the first setting outside its range. */
export function checkSettings(settings: TrainingSettings): void {
  for (const [setting, [lowest, highest, whole]] of Object.entries(settingRanges)) {
    const value = settings[setting as keyof typeof settingRanges];
    if (!(value >= lowest && value <= highest) || (whole && !Number.isInteger(value))) {
      throw new AppError('bad-settings', { setting, reason: `between ${lowest} and ${highest}`, value });
    }
  }
}
