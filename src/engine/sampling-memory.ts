// What drawing a picture takes, before it starts, and how much of one the autoencoder may take at once.
import { AppError } from '../base/errors';
import { decodeGraph, denoiseGraph, encodeGraph, type LatentShape } from '../models/stable-diffusion';
import { chainPeakBytes, cutIntoBlocks } from '../onnx/cut';
import type { Graph } from '../onnx/graph';
import { largestTensorBytes, peakBytes } from '../onnx/liveness';
import { storedBytes } from '../runtime/parameter-data';
import type { Component } from './model-parts';
import type { Pipeline } from './pipeline';

/** What ORT and the browser take besides tensors: shaders or code, the graph itself, staging. Measured with the bundled model on wasm. */
export const overheadBytes = 150e6;

/** Bytes of components' weights as they are kept on the device. */
export const weightBytes = (pipeline: Pick<Pipeline, 'sources'>, components: readonly Component[]): number =>
  components
    .flatMap((component) => pipeline.sources(component))
    .reduce((sum, source) => sum + storedBytes(source), 0);

/** Sides of a tile, in latents. The first is that of diffusers for Stable Diffusion; below the last the seams would show. */
const tileSides = [64, 48, 32, 24] as const;

/** A pipeline, or what counts of one. */
type Place = Pick<
  Pipeline,
  | 'runtime'
  | 'model'
  | 'sources'
  | 'graphOptions'
  | 'samplingType'
  | 'decoderType'
  | 'weightBits'
  | 'reservedBytes'
>;

/** What is to be drawn: latents of all pictures that are denoised together, with guidance or not, from a picture or from noise. */
export type Drawing = {
  readonly shape: LatentShape;
  readonly guided: boolean;
  readonly fromPicture?: boolean;
};

/** What drawing takes: everything that is held at its peak, and the largest tensor. */
export type SamplingNeeds = { readonly neededBytes: number; readonly tensorBytes: number };

/**
 * All weights, what a job holds beside them, the largest of the three parts (encoding, denoising with guidance as a batch of two, and
 * decoding), ORT itself; and the largest tensor of them.
 */
export function samplingNeeds(pipeline: Place, drawing: Drawing): SamplingNeeds {
  const { dispatchesHeld } = pipeline.runtime;
  const blocks = denoisers(pipeline, drawing);
  const tiles = tilesOf(pipeline, drawing);
  const parts = [
    chainPeakBytes(blocks, dispatchesHeld),
    ...tiles.map((graph) => peakBytes(graph, dispatchesHeld)),
  ];
  return {
    neededBytes: heldBytes(pipeline) + Math.max(...parts),
    tensorBytes: Math.max(...[...blocks, ...tiles].map(largestTensorBytes)),
  };
}

/** The bytes of `samplingNeeds`. */
export const samplingMemory = (pipeline: Place, drawing: Drawing): number =>
  samplingNeeds(pipeline, drawing).neededBytes;

/** The error where the memory, or one tensor, would be more than the device has. */
export function samplingFailure({ runtime }: Place, needs: SamplingNeeds): AppError | undefined {
  const { memoryLimitBytes: limitBytes, largestTensorBytes: tensorLimitBytes } = runtime;
  const { neededBytes, tensorBytes } = needs;
  if (neededBytes > limitBytes)
    return new AppError('out-of-memory', { what: 'sampling', neededBytes, limitBytes });
  if (tensorBytes > tensorLimitBytes)
    return new AppError('out-of-memory', { what: 'sampling', tensorBytes, tensorLimitBytes });
  return undefined;
}

function denoisers(pipeline: Place, { shape, guided }: Drawing): readonly Graph[] {
  const { model, graphOptions, samplingType: computeType, weightBits } = pipeline;
  const contextLength = model.text.max_position_embeddings;
  const options = {
    ...{ shape, contextLength, guided, rescaled: false },
    ...{ ...graphOptions, computeType, weightBits },
  };
  return cutIntoBlocks(denoiseGraph(model.unet, options).graph);
}

/** The autoencoder's graphs of one tile, or of a whole picture where that fits. */
function tilesOf(pipeline: Place, { shape, fromPicture = false }: Drawing): readonly Graph[] {
  const graphs = [decoderOf(pipeline, shape, decodedSide(pipeline, shape))];
  if (fromPicture) graphs.push(encoderOf(pipeline, shape, encodedSide(pipeline, shape)));
  return graphs;
}

/** The side of the tiles in which these latents are decoded: their own where they fit whole, the smallest where nothing fits. */
export const decodedSide = (pipeline: Place, shape: LatentShape): number =>
  tileSide(pipeline, shape, decoderOf);

/** The side, in latents, of the tiles in which the picture of these latents is encoded. */
export const encodedSide = (pipeline: Place, shape: LatentShape): number =>
  tileSide(pipeline, shape, encoderOf);

type GraphOfTile = (pipeline: Place, shape: LatentShape, side: number) => Graph;

function tileSide(pipeline: Place, shape: LatentShape, graphOf: GraphOfTile): number {
  const { runtime, model } = pipeline;
  const whole = Math.max(shape[2], shape[3]);
  if (model.vae.kind === 'AutoencoderTiny') return whole; // small enough, and diffusers blends its tiles in another way
  const spare = runtime.memoryLimitBytes - heldBytes(pipeline);
  const fits = (side: number) => {
    const graph = graphOf(pipeline, shape, side);
    return (
      largestTensorBytes(graph) <= runtime.largestTensorBytes &&
      peakBytes(graph, runtime.dispatchesHeld) <= spare
    );
  };
  const sides = [whole, ...tileSides.filter((side) => side < whole)];
  return sides.find(fits) ?? sides.at(-1)!;
}

const decoderOf: GraphOfTile = ({ model, graphOptions, decoderType: computeType }, [, c, h, w], side) =>
  decodeGraph(model.vae, [1, c, Math.min(side, h), Math.min(side, w)], { ...graphOptions, computeType });

const encoderOf: GraphOfTile = ({ model, graphOptions }, [, , h, w], side) => {
  const pixels = (latents: number) => Math.min(side, latents) * model.pixelsPerLatent;
  return encodeGraph(model.vae, [1, 3, pixels(h), pixels(w)], graphOptions);
};

/** Weights, what a job holds, and ORT itself; on wasm a session holds its own copy of the weights that it takes, beside ours. */
const heldBytes = (pipeline: Place): number =>
  (pipeline.runtime.backend === 'webgpu' ? 1 : 2) * weightBytes(pipeline, ['unet', 'text_encoder', 'vae']) +
  pipeline.reservedBytes +
  overheadBytes;
