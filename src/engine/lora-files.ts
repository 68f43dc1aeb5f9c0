// LoRA files out and in: a subject as kohya's or PEFT's format, and a file of either as a subject.
import { AppError } from '../base/errors';
import { saveLora } from '../storage/loras';
import type { TrainingSettings } from '../training/settings';
import { kohyaMetadata, type LoraTraining } from '../weights/kohya-metadata';
import { readLora } from '../weights/lora-file';
import { writeKohya } from '../weights/lora-kohya';
import { peftFileName, writePeft } from '../weights/lora-peft';
import { isStableDiffusion, type BaseModel } from './base-model';
import type { ExportRequest, ExportResult } from './contract';
import { loadSubject, readLoraFor, type SubjectWeights } from './subjects';

/** Writes a subject's weights, then reads the file again as another tool would: what is handed out is known to be whole. */
export async function exportLora(model: BaseModel, request: ExportRequest): Promise<ExportResult> {
  const subject = await loadSubject(model, request.subjectId, request.checkpointStep);
  const { modules } = subject;
  const metadata = metadataOf(model, subject);
  const bytes = request.format === 'kohya' ? writeKohya(modules, metadata) : writePeft(modules, metadata);
  const fileName = request.format === 'kohya' ? `${fileNameOf(subject.name)}.safetensors` : peftFileName;
  const names = model.layers.map(({ module }) => module);
  const written = await readLora(new Blob([bytes]), fileName, names);
  const isEqual = modules.every((module) => {
    const again = written.find((one) => one.module === module.module);
    return again && equal(again.down.data, module.down.data) && equal(again.up.data, module.up.data);
  });
  if (!isEqual || written.length !== modules.length)
    throw new AppError('bad-file', { file: fileName, reason: 'reading it back gave other weights' });
  return { fileName, bytes, tensors: modules.length * (request.format === 'kohya' ? 3 : 2) };
}

const equal = (a: Float32Array, b: Float32Array): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

const fileNameOf = (name: string): string => name.replaceAll(/[^\p{L}\p{N}_-]+/gu, '-') || 'subject';

function metadataOf(model: BaseModel, { name, modules, origin }: SubjectWeights): Record<string, string> {
  if (!origin) return {};
  const { run, step } = origin;
  const settings = run.settings as TrainingSettings;
  const training: LoraTraining = {
    name,
    modelName: model.manifest.name,
    ...baseOf(model),
    predictionType: model.schedule.predictionType === 'v_prediction' ? 'v' : 'epsilon',
    resolution: model.manifest.resolution,
    rank: settings.rank,
    alpha: settings.rank,
    trainsConvolutions: settings.targets === 'all-layers',
    trainsTextEncoder: modules.some(({ module }) => module.startsWith('text_encoder.')),
    step,
    steps: settings.steps,
    learningRate: settings.learningRate,
    lrScheduler: settings.lrScheduler,
    lrWarmupSteps: settings.lrWarmupSteps,
    batchSize: settings.batchSize,
    maxGradNorm: settings.maxGradNorm,
    weightDecay: settings.weightDecay,
    flip: settings.flip,
    priorLossWeight: settings.priorLossWeight,
    seed: settings.seed,
    subjectWord: run.subjectWord,
    className: run.className,
    captions: run.photos.map(({ caption }) => caption),
    classImages: settings.priorPreservation ? settings.classImages : 0,
    startedAt: run.createdAt,
    endedAt: run.updatedAt,
  };
  return kohyaMetadata(training);
}

/** What other tools call this base: Stable Diffusion by the width of its text states, anything else by its own name. */
export function baseOf(model: BaseModel): { baseModelVersion: string; architecture: string } {
  const { unet, manifest } = model;
  if (isStableDiffusion(model)) {
    if (unet.cross_attention_dim === 768)
      return { baseModelVersion: 'sd_v1', architecture: 'stable-diffusion-v1/lora' };
    if (unet.cross_attention_dim === 1024)
      return { baseModelVersion: 'sd_v2', architecture: 'stable-diffusion-v2/lora' };
  }
  return { baseModelVersion: manifest.id, architecture: `${manifest.id}/lora` };
}

/** Stores a LoRA file as a subject after checking that it fits the loaded model. */
export async function importLora(model: BaseModel, file: Blob, fileName: string): Promise<string> {
  await readLoraFor(model, file, fileName);
  const id = crypto.randomUUID();
  const name = fileName.replace(/\.safetensors$/i, '');
  await saveLora({
    version: 1,
    id,
    name,
    modelId: model.manifest.id,
    fileName,
    file,
    importedAt: Date.now(),
  });
  return id;
}
