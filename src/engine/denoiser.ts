// The sampling loop's backend on a runtime: the guided UNet call and linear combinations, on tensors that stay on the device.
import { assert, assertExists } from '../base/assert';
import { createLatentNoise } from '../diffusion/latent-noise';
import type { SampleBackend } from '../diffusion/sample';
import type { RankOf } from '../models/lora';
import { blendGraph, denoiseGraph, linearGraph, type LatentShape } from '../models/stable-diffusion';
import { guidanceFeatures, timeFeatures } from '../models/unet/time-features';
import { cutIntoBlocks } from '../onnx/cut';
import type { DeviceTensor } from '../runtime/runtime';
import type { Latents } from '../training/batch';
import type { Pipeline } from './pipeline';

/** LoRA weights on the device, by the names of the packed vectors. */
export type DeviceAdapter = {
  readonly key: string; // tells adapters of different layers and ranks apart: they are different graphs
  readonly rankOf: RankOf;
  readonly vectors: Readonly<Record<string, DeviceTensor>>;
  readonly strength: number;
};

/** What a subject's weights change: the UNet, the text encoder, or both. */
export type DeviceAdapters = { readonly unet?: DeviceAdapter; readonly text?: DeviceAdapter };

export type DenoiserOptions = {
  readonly shape: LatentShape;
  readonly conditional: Float32Array; // [s, e], for all pictures of the batch; long prompts have a longer s
  readonly unconditional: Float32Array;
  readonly guidance: number; // 1 or less: no guidance; one UNet pass, as in models that take it as an input
  readonly rescale: number; // 0: none
  readonly adapter: DeviceAdapter | undefined;
  readonly seeds: readonly number[]; // one a picture of the batch
};

export type Denoiser = SampleBackend<DeviceTensor> & {
  /** The standard normal noise that sampling starts from: picture i has torch.Generator("cpu").manual_seed(seeds[i]). */
  initial(): DeviceTensor;
  /** A clean picture's latents for the batch; an autoencoder with a posterior draws from it, before `initial` as diffusers does. */
  start(latents: Latents): DeviceTensor;
  mask(levels: Float32Array): DeviceTensor;
  close(): void;
};

const label = 'sampling';

export async function openDenoiser(pipeline: Pipeline, options: DenoiserOptions): Promise<Denoiser> {
  const { runtime, model } = pipeline;
  const { shape, conditional, unconditional, guidance, rescale, adapter, seeds } = options;
  const [n, c, h, w] = shape;
  const contextLength = conditional.length / model.unet.cross_attention_dim;
  assert(conditional.length === unconditional.length, 'both prompts have as many states');
  const conditionSize = model.unet.time_cond_proj_dim; // the UNet itself takes the guidance scale, where it has one
  const isGuided = guidance > 1 && !conditionSize;
  const isRescaled = isGuided && rescale > 0;
  const key = ['denoise', shape.join(), contextLength, isGuided, isRescaled, adapter?.key ?? ''].join(' ');
  const compiled = () =>
    pipeline.program(key, 'UNet', ['unet'], () => {
      const { rankOf } = adapter ?? {};
      const { graph } = denoiseGraph(model.unet, {
        shape,
        contextLength,
        guided: isGuided,
        rescaled: isRescaled,
        rankOf,
        ...pipeline.graphOptions,
        computeType: pipeline.samplingType,
        weightBits: pipeline.weightBits,
      });
      return cutIntoBlocks(graph);
    });
  await compiled(); // what cannot be compiled fails before anything is drawn

  const rows = isGuided
    ? [...Array<Float32Array>(n).fill(unconditional), ...Array<Float32Array>(n).fill(conditional)]
    : Array<Float32Array>(n).fill(conditional);
  const upload = (dims: readonly number[], data: Float32Array<ArrayBuffer>) =>
    runtime.upload(label, 'float32', dims, data);
  const scalar = (x: number) => upload([1], Float32Array.of(x));
  const fixed: Record<string, DeviceTensor> = {
    context: upload([rows.length, contextLength, model.unet.cross_attention_dim], joined(rows)),
    ...(isGuided ? { guidance: scalar(guidance) } : {}),
    ...(conditionSize
      ? { timeCondition: upload([1, conditionSize], guidanceFeatures(guidance, conditionSize)) }
      : {}),
    ...(isRescaled ? { rescale: scalar(rescale) } : {}),
    ...(adapter ? { strength: scalar(adapter.strength) } : {}),
  };
  const nextNoise = createLatentNoise(seeds, [c, h, w]);
  const draw = () => upload(shape, nextNoise());

  return {
    predict: async (x, timestep, inputScale) => {
      const features = timeFeatures(model.unet, [timestep]);
      const program = await compiled();
      const step = { inputScale: scalar(inputScale), time: upload([1, features.length], features) };
      const { prediction } = await program
        .run({ sample: x, ...step, ...fixed, ...adapter?.vectors })
        .finally(() => Object.values(step).forEach((tensor) => tensor.dispose()));
      return assertExists(prediction, 'prediction');
    },
    linear: async (terms) => {
      const combine = await pipeline.program(
        `linear ${terms.length} ${shape.join()}`,
        'sampling step',
        [],
        () => linearGraph(terms.length, shape),
      );
      const coefficients = terms.map(([coefficient]) => scalar(coefficient));
      const feeds = terms.flatMap(([, x], i) => [
        [`x${i}`, x] as const,
        [`c${i}`, assertExists(coefficients[i], 'coefficient')] as const,
      ]);
      const { sum } = await combine
        .run(Object.fromEntries(feeds))
        .finally(() => coefficients.forEach((tensor) => tensor.dispose()));
      return assertExists(sum, 'sum');
    },
    blend: async (mask, drawn, kept) => {
      const key = `blend ${shape.join()}`;
      const program = await pipeline.program(key, 'sampling step', [], () => blendGraph(shape));
      const { blended } = await program.run({ mask, drawn, kept });
      return assertExists(blended, 'blended');
    },
    noise: () => Promise.resolve(draw()),
    dispose: (tensor) => {
      tensor.dispose();
    },
    initial: draw,
    start: ({ mean, deviation }) => {
      const noise = deviation && nextNoise();
      const clean = Float32Array.from({ length: n * mean.length }, (_, i) => {
        const at = i % mean.length;
        return mean[at]! + (deviation && noise ? deviation[at]! * noise[i]! : 0);
      });
      return upload(shape, clean);
    },
    mask: (levels) => upload([n, 1, h, w], joined(Array<Float32Array>(n).fill(levels))),
    close: () => {
      for (const tensor of Object.values(fixed)) tensor.dispose();
    },
  };
}

/** The arrays, one after the other. */
export function joined(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
