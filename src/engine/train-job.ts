// A training run from storage to the last step, as a job: prepares the data, compiles, trains, and starts again from the newest
// checkpoint when the GPU was lost on the way.
import type { Job } from '../base/job';
import { AppError, isAppError } from '../base/errors';
import { loadCheckpoint } from '../storage/checkpoints';
import { addPreview } from '../storage/previews';
import { loadRun, updateRun } from '../storage/runs';
import { dreambooth } from '../training/dreambooth';
import type { LossGraph } from '../training/loss-graph';
import { checkSettings, type TrainingSettings } from '../training/settings';
import type { TrainingEvent, TrainingResult } from './contract';
import type { EncodePng } from './encode-png';
import { keptBytes } from './estimate';
import { drawPreview } from './preview';
import type { Pipeline } from './pipeline';
import { ranksOf } from './adapters';
import type { DeviceAdapter, DeviceAdapters } from './denoiser';
import type { DeviceTensor } from '../runtime/runtime';
import type { EngineSession } from './session';
import { checkBase } from './subjects';
import { openTrainer } from './trainer';
import { prepareData } from './training-data';
import { checkPlan, planTraining } from './training-plan';

/** How often a run goes on by itself after the GPU was lost. */
const mostRecoveries = 3;

/** Trains the stored run `runId` to its last step; AbortError after a checkpoint when `signal` aborts. Previews go through `encode`. */
export async function* trainRun(
  session: EngineSession,
  runId: string,
  signal: AbortSignal,
  encode: EncodePng,
): Job<TrainingEvent, TrainingResult> {
  for (let recoveries = 0; ; recoveries++) {
    let pipeline: Pipeline | undefined;
    try {
      pipeline = await session.pipeline();
      return yield* trainOnce(pipeline, runId, encode, signal);
    } catch (error) {
      // Weights go up again on a new device, θ and the moments come from the checkpoint, and the steps since are computed again.
      const isLost = isAppError(error) && error.code === 'device-lost';
      if (isLost && pipeline) session.forget(pipeline.runtime);
      if (!isLost || recoveries === mostRecoveries || signal.aborted) throw error;
    }
  }
}

async function* trainOnce(
  pipeline: Pipeline,
  runId: string,
  encode: EncodePng,
  signal: AbortSignal,
): Job<TrainingEvent, TrainingResult> {
  const run = await loadRun(runId);
  if (!run) throw new AppError('storage-failed', { what: 'run', reason: 'there is no such run' });
  const settings = run.settings as TrainingSettings;
  checkSettings(settings);
  checkBase(pipeline.model, run.modelId, run.name);
  const { steps } = settings;
  const from = await loadCheckpoint(runId);
  if (from && from.step >= steps) return { step: from.step, steps };
  const plan = planTraining(pipeline, settings);
  checkPlan(plan, pipeline.runtime);
  const { tier, loss } = plan;
  const data = yield* prepareData(pipeline, run, settings, signal);

  yield { kind: 'stage-start', stage: 'compile', total: 1 };
  const trainer = await openTrainer(pipeline, {
    runId,
    loss,
    tier,
    settings,
    from,
    preview: async (theta, step) => {
      const image = await drawPreview(pipeline, run, settings, liveAdapters(loss, settings, theta), encode);
      await addPreview(runId, step, image);
      return image;
    },
  });
  pipeline.reservedBytes = keptBytes(loss, tier, pipeline.runtime);
  try {
    yield { kind: 'stage-start', stage: 'train', total: steps };
    const start = { step: from?.step ?? 0, losses: from ? [...from.losses] : [] };
    const job = dreambooth(data, pipeline.model.schedule, settings, trainer, start, signal);
    for (;;) {
      const next = await job.next();
      if (next.done) return { step: next.value.step, steps };
      yield next.value.kind === 'step-end' ? { ...next.value, steps } : next.value;
      if (next.value.kind === 'checkpoint-saved') await updateRun(runId, { step: next.value.step });
    }
  } finally {
    pipeline.reservedBytes = 0;
    await trainer.dispose();
  }
}

/** The weights under training as the sampling graphs take them: the same vectors, on the device already. */
function liveAdapters(
  { modules }: LossGraph,
  settings: TrainingSettings,
  theta: Readonly<Record<string, DeviceTensor>>,
): DeviceAdapters {
  const part = (component: 'unet' | 'text_encoder'): DeviceAdapter => ({
    key: `training ${settings.targets} ${settings.rank}`,
    rankOf: ranksOf(modules),
    vectors: Object.fromEntries(
      Object.entries(theta).filter(([name]) => name.startsWith(`theta.${component}.`)),
    ),
    strength: 1,
  });
  return settings.trainTextEncoder
    ? { unet: part('unet'), text: part('text_encoder') }
    : { unet: part('unet') };
}
