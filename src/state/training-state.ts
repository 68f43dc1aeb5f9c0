// The run under training, if any. What was reached and what comes next are the stored run's own state; this is only what is live.
import type { TrainingStage } from '../engine/contract';
import type { Failure } from './failure';

export type Training =
  | { readonly phase: 'idle' }
  | { readonly phase: 'running'; readonly runId: string; readonly controller: AbortController }
  | {
      readonly phase: 'stopping';
      readonly runId: string;
      readonly controller: AbortController;
      readonly wanted: 'paused' | 'ended';
    }
  | { readonly phase: 'failed'; readonly runId: string; readonly failure: Failure };

/** Where the live run stands; changes every step, so few components listen. */
export type TrainingProgress = {
  readonly stage: TrainingStage;
  readonly end: number; // of the stage
  readonly total: number;
  readonly step: number;
  readonly steps: number;
  readonly loss: number | undefined; // of the last step
  readonly secondsPerStep: number | undefined;
};

/** True while the engine works on a run. */
export const isTraining = (training: Training): boolean =>
  training.phase === 'running' || training.phase === 'stopping';

/** Seconds until the last step, from the measured speed; undefined before the first step. */
export const secondsLeft = ({ step, steps, secondsPerStep }: TrainingProgress): number | undefined =>
  secondsPerStep === undefined ? undefined : (steps - step) * secondsPerStep;
