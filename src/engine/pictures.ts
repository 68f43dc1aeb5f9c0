// Pictures in and out of the latent space.
import { assertExists } from '../base/assert';
import { decodeInTiles, type Planes } from '../diffusion/tiled-decode';
import { decodeGraph, encodeGraph, type LatentShape } from '../models/stable-diffusion';
import { fromPlanarTensor } from '../training/images';
import type { Latents } from '../training/batch';
import type { DeviceTensor } from '../runtime/runtime';
import type { Pipeline } from './pipeline';
import { decodedSide } from './sampling-memory';

export type Picture = {
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
};

/** The latents of one picture as RGBA, decoded in tiles where the whole would not fit; the tensor stays the caller's. */
export async function decodeLatents(pipeline: Pipeline, latents: DeviceTensor): Promise<Picture> {
  const { runtime, model } = pipeline;
  const [, planes, height, width] = latents.shape as LatentShape;
  const side = decodedSide(pipeline, latents.shape as LatentShape);
  const picture =
    side >= Math.max(height, width)
      ? await decodeTensor(pipeline, latents)
      : await decodeInTiles(
          { data: (await runtime.read(latents)) as Planes['data'], planes, height, width },
          side,
          model.pixelsPerLatent,
          (tile) => decodePlanes(pipeline, tile),
        );
  return {
    rgba: fromPlanarTensor(picture.data, picture.width, picture.height),
    width: picture.width,
    height: picture.height,
  };
}

/** The pictures of a batch of latents [n, c, h, w], each decoded when it is asked for; the tensor stays the caller's. */
export async function* decodeBatch(pipeline: Pipeline, latents: DeviceTensor): AsyncGenerator<Picture> {
  const { runtime } = pipeline;
  const [n, ...shape] = latents.shape as LatentShape;
  if (n === 1) {
    yield await decodeLatents(pipeline, latents);
    return;
  }
  const data = ((await runtime.read(latents)) as Planes['data']).slice(); // what a runtime answers is its own
  const size = data.length / n;
  for (let i = 0; i < n; i++) {
    const one = runtime.upload('VAE', 'float32', [1, ...shape], data.slice(i * size, (i + 1) * size));
    try {
      yield await decodeLatents(pipeline, one);
    } finally {
      one.dispose();
    }
  }
}

/** Latents of one picture as planes of levels, nearly in [-1, 1], decoded at once. */
export async function decodePlanes(
  pipeline: Pipeline,
  { data, planes, height, width }: Planes,
): Promise<Planes> {
  const tensor = pipeline.runtime.upload('VAE', 'float32', [1, planes, height, width], data);
  try {
    return await decodeTensor(pipeline, tensor);
  } finally {
    tensor.dispose();
  }
}

async function decodeTensor(pipeline: Pipeline, latents: DeviceTensor): Promise<Planes> {
  const { runtime, model } = pipeline;
  const shape = latents.shape as LatentShape;
  const program = await pipeline.program(`decode ${shape.join()}`, 'VAE', ['vae'], () =>
    decodeGraph(model.vae, shape, pipeline.graphOptions),
  );
  const picture = assertExists((await program.run({ latents }))['picture'], 'picture');
  const [, planes, height, width] = picture.shape as LatentShape;
  const data = (await runtime.read(picture)) as Planes['data'];
  picture.dispose();
  return { data: data.slice(), planes, height, width }; // tiles are written to; what a runtime answers is its own
}

/** The latents of a picture [3, height, width] in [-1, 1], scaled as the UNet sees them. */
export async function encodePicture(
  pipeline: Pipeline,
  picture: Float32Array<ArrayBuffer>,
  width: number,
  height = width,
): Promise<Latents> {
  const { runtime, model } = pipeline;
  const shape = [1, 3, height, width] as const;
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
