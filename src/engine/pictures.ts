// Pictures in and out of the latent space.
import { assertExists } from '../base/assert';
import { decodeGraph, encodeGraph, type LatentShape } from '../models/stable-diffusion';
import { fromPlanarTensor } from '../training/images';
import type { Latents } from '../training/batch';
import type { DeviceTensor } from '../runtime/runtime';
import type { Pipeline } from './pipeline';

export type Picture = {
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
};

/** The latents of one picture as RGBA; the tensor stays the caller's. */
export async function decodeLatents(pipeline: Pipeline, latents: DeviceTensor): Promise<Picture> {
  const { runtime, model } = pipeline;
  const shape = latents.shape as LatentShape;
  const program = await pipeline.program(`decode ${shape.join()}`, 'VAE', ['vae'], () =>
    decodeGraph(model.vae, shape, pipeline.graphOptions),
  );
  const picture = assertExists((await program.run({ latents }))['picture'], 'picture');
  const data = (await runtime.read(picture)) as Float32Array;
  picture.dispose();
  const width = shape[3] * model.pixelsPerLatent;
  const height = shape[2] * model.pixelsPerLatent;
  return { rgba: fromPlanarTensor(data, width, height), width, height };
}

/** The latents of a square picture [3, size, size] in [-1, 1], scaled as the UNet sees them. */
export async function encodePicture(
  pipeline: Pipeline,
  picture: Float32Array<ArrayBuffer>,
  size: number,
): Promise<Latents> {
  const { runtime, model } = pipeline;
  const shape = [1, 3, size, size] as const;
  const program = await pipeline.program(`encode ${shape.join()}`, 'VAE', ['vae'], () =>
    encodeGraph(model.vae, shape, pipeline.graphOptions),
  );
  const input = runtime.upload('photos', 'float32', shape, picture);
  const outputs = await program.run({ picture: input });
  input.dispose();
  const read = async (tensor: DeviceTensor) => {
    const data = Float32Array.from((await runtime.read(tensor)) as Float32Array);
    tensor.dispose();
    return data;
  };
  const { mean, deviation } = outputs;
  return {
    mean: await read(assertExists(mean, 'mean')),
    deviation: deviation ? await read(deviation) : undefined,
  };
}
