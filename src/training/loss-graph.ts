// The forward half of a DreamBooth step as a graph: noisy latents and text → the weighted loss. Autodiff does the rest.
import type { Pack } from '../onnx/packing';
import { GraphBuilder } from '../onnx/builder';
import type { DataType, Graph, Value } from '../onnx/graph';
import { mul, reduceMean, reduceSum, reshape, sub } from '../onnx/operators';
import type { ClipTextConfig } from '../models/clip/config';
import { clipTextModel } from '../models/clip/text-model';
import { rootScope } from '../models/layers';
import { Lora, type LoraModule, type RankOf } from '../models/lora';
import type { WeightBits } from '../models/quantized';
import { loraPacks, type LatentShape } from '../models/stable-diffusion';
import type { UnetConfig } from '../models/unet/config';
import { unet } from '../models/unet/unet';

export type LossGraphOptions = {
  readonly unet: UnetConfig;
  /** Given when the text encoder is trained too: the graph then takes token ids instead of a context. */
  readonly text: ClipTextConfig | undefined;
  readonly shape: LatentShape;
  readonly contextLength: number;
  readonly rankOf: RankOf;
  readonly weightType?: DataType | undefined;
  readonly weightBits?: WeightBits | undefined; // of the UNet's quantized weights
  readonly largestBytes?: number | undefined; // attention scores above it are computed in pieces
};

export type LossGraph = {
  readonly graph: Graph;
  readonly modules: readonly LoraModule[];
  readonly packs: readonly Pack[];
};

/**
 * Inputs: sample [n, c, h, w] (noisy latents), time [n, block_out_channels[0]], context [n, s, e] or ids int32 [n, s], target of the
 * sample's shape (noise or velocity), sampleWeights [n], and the adapters' matrices. Output: loss [1] = Σᵢ wᵢ · mean((predᵢ − targetᵢ)²).
 * DreamBooth's loss (Ruiz et al. 2023, eq. 1) has weights 1 / photos for the photos and λ / class pictures for the prior.
 */
export function buildLossGraph(options: LossGraphOptions): LossGraph {
  const { shape, contextLength } = options;
  const [n] = shape;
  const b = new GraphBuilder('training step');
  const lora = new Lora(options.rankOf);
  const root = { lora, weightType: options.weightType, largestBytes: options.largestBytes };
  const sample = b.input('sample', 'float32', shape);
  const time = b.input('time', 'float32', [n, options.unet.block_out_channels[0]!]);
  const context = options.text
    ? clipTextModel(
        rootScope(b, 'text_encoder', root),
        options.text,
        b.input('ids', 'int32', [n, contextLength]),
      )
    : b.input('context', 'float32', [n, contextLength, options.unet.cross_attention_dim]);
  const unetScope = rootScope(b, 'unet', { ...root, weightBits: options.weightBits });
  const prediction = unet(unetScope, options.unet, { sample, time, context });
  const target = b.input('target', 'float32', shape);
  const weights = b.input('sampleWeights', 'float32', [n]);
  const loss = weightedLoss(b, prediction, target, weights);
  return { graph: b.finish({ loss }), modules: lora.modules, packs: loraPacks(lora.modules) };
}

function weightedLoss(b: GraphBuilder, prediction: Value, target: Value, weights: Value): Value {
  const error = sub(b, prediction, target);
  const perSample = reshape(b, reduceMean(b, mul(b, error, error), [1, 2, 3]), weights.shape);
  return reduceSum(b, mul(b, perSample, weights), [0]);
}
