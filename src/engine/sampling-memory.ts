// What drawing a picture takes, before it starts, and how much of one the decoder may take at once.
import { decodeGraph, denoiseGraph, type LatentShape } from '../models/stable-diffusion';
import { byteSizeOf } from '../onnx/graph';
import { largestTensorBytes, peakBytes } from '../onnx/liveness';
import type { ParameterSource, Runtime } from '../runtime/runtime';
import type { Pipeline } from './pipeline';

/** What ORT and the browser take besides tensors: shaders or code, the graph itself, staging. Measured with the bundled model on wasm. */
export const overheadBytes = 150e6;

/** Bytes of weights as a runtime keeps them. */
export const storedBytes = (sources: readonly ParameterSource[], { weightType: type }: Runtime): number =>
  sources.reduce((sum, { shape }) => sum + byteSizeOf({ type, shape }), 0);

/** Sides of a tile, in latents. The first is that of diffusers for Stable Diffusion; below the last the seams would show. */
const tileSides = [64, 48, 32, 24] as const;

/**
 * Everything that is held while a picture of these latents is drawn: all weights, the larger of its two halves (denoising, with
 * guidance as a batch of two, and decoding), ORT itself.
 */
export function samplingMemory(pipeline: Pipeline, shape: LatentShape, guided: boolean): number {
  const { model, graphOptions } = pipeline;
  const contextLength = model.text.max_position_embeddings;
  const options = { shape, contextLength, guided, rescaled: false, ...graphOptions };
  const denoising = peakBytes(denoiseGraph(model.unet, options).graph);
  const decoding = peakBytes(decoderOf(pipeline, shape, decodedSide(pipeline, shape)));
  return heldBytes(pipeline) + Math.max(denoising, decoding);
}

/** The side of the tiles in which these latents are decoded: their own where they fit whole, the smallest where nothing fits. */
export function decodedSide(pipeline: Pipeline, shape: LatentShape): number {
  const { runtime, model } = pipeline;
  const whole = Math.max(shape[2], shape[3]);
  if (model.vae.kind === 'AutoencoderTiny') return whole; // small enough, and diffusers blends its tiles in another way
  const spare = runtime.memoryLimitBytes - heldBytes(pipeline);
  const fits = (side: number) => {
    const graph = decoderOf(pipeline, shape, side);
    return largestTensorBytes(graph) <= runtime.largestTensorBytes && peakBytes(graph) <= spare;
  };
  const sides = [whole, ...tileSides.filter((side) => side < whole)];
  return sides.find(fits) ?? sides.at(-1)!;
}

/** The decoder of one tile. */
const decoderOf = ({ model, graphOptions }: Pipeline, [, c, h, w]: LatentShape, side: number) =>
  decodeGraph(model.vae, [1, c, Math.min(side, h), Math.min(side, w)], graphOptions);

/** Weights, and ORT itself; on wasm a session holds its own copy of the weights that it takes, beside ours. */
const heldBytes = ({ runtime, model }: Pipeline): number =>
  (runtime.backend === 'webgpu' ? 1 : 2) * storedBytes(Object.values(model.sources).flat(), runtime) +
  overheadBytes;
