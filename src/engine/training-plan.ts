// How a run will be computed: its loss graph and the tier, chosen by what fits.
import { AppError } from '../base/errors';
import { loraTargets } from '../models/lora';
import type { WeightBits } from '../models/quantized';
import type { LatentShape } from '../models/stable-diffusion';
import type { Runtime } from '../runtime/runtime';
import { batchSizeOf } from '../training/batch';
import { buildLossGraph, type LossGraph } from '../training/loss-graph';
import type { TrainingSettings } from '../training/settings';
import { tierNames, tierPlans, type Tier } from '../training/tier';
import type { BaseModel } from './base-model';
import { keptBytes, planFits, trainingMemory, type TrainingPlan } from './estimate';
import type { Pipeline } from './pipeline';
import { samplingMemory } from './sampling-memory';

/** The tier that the settings ask for; automatic is the fastest that fits, or the smallest where none does. */
export function planTraining(pipeline: Pipeline, settings: TrainingSettings): TrainingPlan {
  const { runtime, model, graphOptions, samplingType, decoderType, weightBits } = pipeline;
  const sources: Pipeline['sources'] = (component) => pipeline.sources(component);
  const plan = (tier: Tier): TrainingPlan => {
    const loss = lossGraphOf(model, settings, runtime, tier, weightBits);
    const { memoryBytes, tensorBytes } = trainingMemory(pipeline, loss, tier);
    // photos are encoded before, previews drawn beside what the run keeps
    const reservedBytes = keptBytes(loss, tier, runtime);
    const drawing = { shape: photoShape(model), guided: true, fromPicture: true };
    const kept = { runtime, model, sources, weightBits, reservedBytes };
    const drawingBytes = samplingMemory({ ...kept, graphOptions, samplingType, decoderType }, drawing);
    return { tier, loss, memoryBytes: Math.max(memoryBytes, drawingBytes), tensorBytes };
  };
  if (settings.memoryTier !== 'automatic') return plan(settings.memoryTier);
  const tried: TrainingPlan[] = [];
  for (const tier of tierNames) {
    tried.push(plan(tier));
    if (planFits(tried.at(-1)!, runtime)) return tried.at(-1)!;
  }
  return tried.reduce((least, one) => (one.memoryBytes < least.memoryBytes ? one : least));
}

/** Throws AppError('out-of-memory') where the run would not fit: on the way the tab may be gone. */
export function checkPlan(plan: TrainingPlan, runtime: Runtime): void {
  if (planFits(plan, runtime)) return;
  const { memoryLimitBytes: limitBytes, largestTensorBytes: tensorLimitBytes } = runtime;
  const { memoryBytes: neededBytes, tensorBytes } = plan;
  const tooMuch = neededBytes > limitBytes ? { neededBytes, limitBytes } : { tensorBytes, tensorLimitBytes };
  throw new AppError('out-of-memory', { what: 'training', ...tooMuch });
}

/** The loss graph of a run on this model, as a tier and a runtime want it. Its packs are the same for all of them. */
export function lossGraphOf(
  model: BaseModel,
  settings: TrainingSettings,
  { weightType, largestTensorBytes }: Pick<Runtime, 'weightType' | 'largestTensorBytes'>,
  tier: Tier,
  weightBits?: WeightBits,
): LossGraph {
  const [, ...size] = photoShape(model);
  const shape: LatentShape = [batchSizeOf(settings), ...size];
  const isTarget = loraTargets[settings.targets];
  return buildLossGraph({
    unet: model.unet,
    text: settings.trainTextEncoder ? model.text : undefined,
    shape,
    contextLength: model.text.max_position_embeddings,
    // A rank above a layer's own size would only add parameters that say nothing.
    rankOf: (module, _kind, weight) =>
      isTarget(module) ? Math.min(settings.rank, weight[0]!, weight[1]!) : 0,
    weightType,
    weightBits,
    largestBytes: Math.min(largestTensorBytes, tierPlans[tier].largestBytes),
  });
}

/** The latents of one photo. */
export function photoShape({ manifest, unet, pixelsPerLatent }: BaseModel): LatentShape {
  const side = manifest.resolution / pixelsPerLatent;
  return [1, unet.in_channels, side, side];
}
