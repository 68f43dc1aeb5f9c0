// How a run will be computed: its loss graph and the tier, chosen by what fits.
import { loraTargets } from '../models/lora';
import type { LatentShape } from '../models/stable-diffusion';
import type { Runtime } from '../runtime/runtime';
import { batchSizeOf } from '../training/batch';
import { buildLossGraph, type LossGraph } from '../training/loss-graph';
import type { TrainingSettings } from '../training/settings';
import { tierNames, tierPlans, type Tier } from '../training/tier';
import type { BaseModel } from './base-model';
import { trainingMemory, type TrainingPlan } from './estimate';
import type { Pipeline } from './pipeline';

/** The tier that the settings ask for; automatic is the fastest that fits, or the smallest where none does. */
export function planTraining(pipeline: Pipeline, settings: TrainingSettings): TrainingPlan {
  const { runtime, model } = pipeline;
  const plan = (tier: Tier): TrainingPlan => {
    const loss = lossGraphOf(model, settings, runtime, tier);
    return { tier, loss, memoryBytes: trainingMemory(pipeline, loss, tier) };
  };
  if (settings.memoryTier !== 'automatic') return plan(settings.memoryTier);
  const tried: TrainingPlan[] = [];
  for (const tier of tierNames) {
    tried.push(plan(tier));
    if (tried.at(-1)!.memoryBytes <= runtime.memoryLimitBytes) return tried.at(-1)!;
  }
  return tried.reduce((least, one) => (one.memoryBytes < least.memoryBytes ? one : least));
}

/** The loss graph of a run on this model, as a tier and a runtime want it. Its packs are the same for all of them. */
export function lossGraphOf(
  model: BaseModel,
  settings: TrainingSettings,
  { weightType, largestTensorBytes }: Pick<Runtime, 'weightType' | 'largestTensorBytes'>,
  tier: Tier,
): LossGraph {
  const side = model.manifest.resolution / model.pixelsPerLatent;
  const shape: LatentShape = [batchSizeOf(settings), model.unet.in_channels, side, side];
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
    largestBytes: Math.min(largestTensorBytes, tierPlans[tier].largestBytes),
  });
}
