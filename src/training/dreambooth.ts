// The DreamBooth loop (Ruiz et al. 2023) from the first step to the last, as a job. What computes, stores and draws is an argument.
import { AppError } from '../base/errors';
import type { Job } from '../base/job';
import type { NoiseSchedule } from '../diffusion/schedule';
import { batchAt, evaluationBatchAt, evaluationRounds, type Batch, type DreamboothData } from './batch';
import { learningRateAt } from './learning-rate';
import type { TrainingSettings } from './settings';

/** One update of the trained vectors; `step` is 1-based, as Adam's bias correction counts. */
export type Update = { readonly step: number; readonly learningRate: number };

export type Trainer = {
  step(batch: Batch, update: Update): Promise<{ readonly loss: number; readonly gradNorm: number }>;
  /** The loss of a batch, nothing changed. */
  evaluate(batch: Batch): Promise<number>;
  /** Keeps the weights, moments and losses after `step` steps, so that a killed tab can go on from there. */
  save(step: number, losses: readonly number[]): Promise<void>;
  /** Draws the preview prompt with the present weights and the preview seed. */
  preview(step: number): Promise<Blob>;
  /** Milliseconds, from any fixed point. */
  now(): number;
};

export type DreamboothEvent =
  | {
      readonly kind: 'step-end';
      readonly step: number;
      readonly loss: number;
      readonly gradNorm: number;
      readonly learningRate: number;
      readonly secondsPerStep: number;
    }
  | { readonly kind: 'evaluation-end'; readonly step: number; readonly loss: number }
  | { readonly kind: 'preview-ready'; readonly step: number; readonly image: Blob }
  | { readonly kind: 'checkpoint-saved'; readonly step: number };

/** Where a run stands: the steps that are done and their losses. */
export type Progress = { readonly step: number; readonly losses: readonly number[] };

/**
 * Trains from `from` to settings.steps. When `signal` aborts, the steps done so far are saved before the job throws AbortError.
 * Throws AppError('not-finite') when the loss is no number any more; the last checkpoint stays as it was.
 */
export async function* dreambooth(
  data: DreamboothData,
  schedule: NoiseSchedule,
  settings: TrainingSettings,
  trainer: Trainer,
  from: Progress,
  signal: AbortSignal,
): Job<DreamboothEvent, Progress> {
  const losses = [...from.losses];
  const { steps, checkpointEvery, previewEvery, evaluateEvery } = settings;
  const isDue = (every: number, step: number) => every > 0 && (step % every === 0 || step === steps);
  let step = from.step;
  let savedStep = from.step;
  let secondsPerStep: number | undefined;

  // 1) the untrained weights are the first point of the curves
  if (step === 0 && evaluateEvery > 0) yield await evaluation(data, schedule, settings, trainer, 0);
  if (step === 0 && previewEvery > 0 && !signal.aborted)
    yield { kind: 'preview-ready', step, image: await trainer.preview(step) };

  while (step < steps && !signal.aborted) {
    // 2) one update
    const start = trainer.now();
    const learningRate = learningRateAt(step, {
      schedule: settings.lrScheduler,
      learningRate: settings.learningRate,
      warmupSteps: settings.lrWarmupSteps,
      steps,
    });
    const { loss, gradNorm } = await trainer.step(batchAt(data, schedule, settings, step), {
      step: step + 1,
      learningRate,
    });
    if (!Number.isFinite(loss) || !Number.isFinite(gradNorm))
      throw new AppError('not-finite', { step: step + 1 });
    losses.push(loss);
    step++;
    const seconds = (trainer.now() - start) / 1000;
    secondsPerStep = secondsPerStep === undefined ? seconds : 0.9 * secondsPerStep + 0.1 * seconds;
    yield { kind: 'step-end', step, loss, gradNorm, learningRate, secondsPerStep };

    // 3) what is due at this step; the checkpoint first, so that nothing later can cost it
    if (isDue(checkpointEvery, step)) {
      await trainer.save(step, losses);
      savedStep = step;
      yield { kind: 'checkpoint-saved', step };
    }
    if (isDue(evaluateEvery, step)) yield await evaluation(data, schedule, settings, trainer, step);
    if (isDue(previewEvery, step) && !signal.aborted)
      yield { kind: 'preview-ready', step, image: await trainer.preview(step) };
  }

  // 4) stopped: nothing that was computed is lost
  if (step < steps && step > savedStep) {
    await trainer.save(step, losses);
    yield { kind: 'checkpoint-saved', step };
  }
  if (step < steps) signal.throwIfAborted();
  return { step, losses };
}

async function evaluation(
  data: DreamboothData,
  schedule: NoiseSchedule,
  settings: TrainingSettings,
  trainer: Trainer,
  step: number,
): Promise<DreamboothEvent> {
  let loss = 0;
  for (let round = 0; round < evaluationRounds; round++)
    loss += (await trainer.evaluate(evaluationBatchAt(data, schedule, settings, round))) / evaluationRounds;
  return { kind: 'evaluation-end', step, loss };
}
