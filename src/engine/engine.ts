// The engine: what contract.ts promises, put together from models, training, runtime and storage. It runs in a worker. What only training
// and LoRA files need is loaded with them: the page is usable sooner.
import { isAppError } from '../base/errors';
import { serve } from '../base/job';
import { samplers, sigmaSamplers, type SamplerName } from '../diffusion/samplers/samplers';
import { openRuntime } from '../runtime/open-runtime';
import { loadRun } from '../storage/runs';
import { withRunLock } from '../storage/run-lock';
import { loadSetting, saveSetting } from '../storage/settings';
import { batchSizeOf } from '../training/batch';
import { checkSettings, recipes, settingRanges, type TrainingSettings } from '../training/settings';
import { isStableDiffusion, type BaseModel } from './base-model';
import type { EngineApi, ModelInfo, TrainingEvent, Weights } from './contract';
import { decodePicture, type DecodePicture } from './decode-photo';
import { estimateTraining } from './estimate';
import { encodePng, type EncodePng } from './encode-png';
import { browserSource, loadBaseModel, type ModelSource } from './load-model';
import { takesPreviewDecoder } from './preview-decoder';
import { advisedBatchSize, drawImages, sizeStep } from './sample-job';
import { Pipeline } from './pipeline';
import { weightBytes } from './sampling-memory';
import { EngineSession, weightBits, type OpenRuntime } from './session';
import { planTraining } from './training-plan';

/** What the engine takes from the browser; tests in Node give their own. */
type Platform = {
  readonly openRuntime: OpenRuntime;
  readonly source: ModelSource;
  readonly encodePng: EncodePng;
  readonly decodePicture: DecodePicture;
  readonly now: () => number; // ms
};
const browser: Platform = {
  openRuntime,
  source: browserSource,
  encodePng,
  decodePicture,
  now: () => performance.now(),
};

/** An engine whose models lie below `baseUrl`. */
export function createEngine(baseUrl: URL, platform = browser): EngineApi {
  const session = new EngineSession(platform.openRuntime);
  return {
    open: (choices) => session.open(choices),
    loadModel: async ({ modelId }, emit, signal) => {
      const model = await serve(loadBaseModel(modelId, baseUrl, signal, platform.source), emit);
      await session.use(model);
      return describeModel(await session.pipeline());
    },
    estimate: async ({ settings }) => {
      checkSettings(settings);
      const pipeline = await session.pipeline();
      const known = await loadSetting('secondsPerStep');
      const key = stepKey(pipeline.runtime.backend, session.model, settings);
      return estimateTraining(pipeline, settings, planTraining(pipeline, settings), known?.[key]);
    },
    train: ({ runId }, emit, signal) =>
      withRunLock(runId, async () => {
        let secondsPerStep: number | undefined;
        const tell = async (event: TrainingEvent) => {
          if (event.kind === 'step-end') secondsPerStep = event.secondsPerStep;
          await emit(event);
        };
        const { trainRun } = await import('./train-job');
        try {
          return await serve(trainRun(session, runId, signal, platform.encodePng), tell);
        } finally {
          if (secondsPerStep !== undefined) await rememberSpeed(session, runId, secondsPerStep);
        }
      }),
    sample: async (request, emit, signal) =>
      serve(
        drawImages(await session.pipeline(), request, signal, { ...platform, root: platform.source.root }),
        emit,
      ),
    exportLora: async (request) => {
      const { exportLora } = await import('./lora-files');
      return exportLora(session.model, request);
    },
    importLora: async ({ file, fileName }) => {
      const { importLora } = await import('./lora-files');
      return { subjectId: await importLora(session.model, file, fileName) };
    },
    memory: () => session.memory(),
  };
}

/** Steps of one kind take one time: on this backend, of this model, of this shape. */
function stepKey(backend: string, model: BaseModel, settings: TrainingSettings): string {
  const { targets, rank, trainTextEncoder } = settings;
  return [backend, model.manifest.id, batchSizeOf(settings), targets, rank, trainTextEncoder].join(' ');
}

/** Keeps the measured time of a step for the next estimate. Losing it costs an estimate, so a full disk is no failure here. */
async function rememberSpeed(session: EngineSession, runId: string, secondsPerStep: number): Promise<void> {
  try {
    const run = await loadRun(runId);
    const { backend } = await session.info();
    if (!run) return;
    const key = stepKey(backend, session.model, run.settings as TrainingSettings);
    await saveSetting('secondsPerStep', { ...(await loadSetting('secondsPerStep')), [key]: secondsPerStep });
  } catch (error) {
    if (!isAppError(error)) throw error;
  }
}

/** Every tool that reads the format, where the base is one that they know. */
const loadsAnywhere = ['AUTOMATIC1111', 'ComfyUI', 'diffusers'];

function describeModel(pipeline: Pipeline): ModelInfo {
  const { runtime, model } = pipeline;
  const { manifest, sampler } = model;
  const { steps, guidance } = manifest.sampling;
  const isKnown = isStableDiffusion(model);
  const unetBytes = (weights: Weights) =>
    weightBytes(new Pipeline(runtime, model, { weightBits: weightBits[weights] }), ['unet']);
  return {
    id: manifest.id,
    name: manifest.name,
    license: manifest.license,
    sizeBytes: manifest.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    unetBytes: { original: unetBytes('original'), '8-bit': unetBytes('8-bit'), '4-bit': unetBytes('4-bit') },
    resolution: manifest.resolution,
    sizeStep: sizeStep(model),
    samplers: Object.keys(samplers) as SamplerName[],
    sigmaSamplers,
    sampling: { sampler, steps, guidance, batchSize: advisedBatchSize(pipeline) },
    takesPreviewDecoder: takesPreviewDecoder(model),
    recipes: recipes(manifest.training),
    settingRanges,
    loraLoadsIn: { kohya: isKnown ? loadsAnywhere : ['diffusers'], peft: ['diffusers'] },
  };
}
