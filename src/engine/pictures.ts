// Pictures in and out of the latent space.
import { assertExists } from '../base/assert';
import { AppError } from '../base/errors';
import { inTiles, type Planes } from '../diffusion/tiles';
import { decodeGraph, encodeGraph, type LatentShape } from '../models/stable-diffusion';
import { fromPlanarTensor } from '../training/images';
import type { Latents } from '../training/batch';
import type { DeviceTensor } from '../runtime/runtime';
import type { Pipeline } from './pipeline';
import { decodedSide, encodedSide } from './sampling-memory';

export type Picture = {
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
};

/**
 * The latents of one picture as RGBA, decoded in tiles where the whole would not fit; the tensor stays the caller's. A decoder that
 * overflows in float16, as that of Stable Diffusion XL is known to, decodes in float32 from then on. Throws AppError('half-overflow') where
 * the latents themselves did.
 */
export async function decodeLatents(pipeline: Pipeline, latents: DeviceTensor): Promise<Picture> {
  let planes = await decodeAll(pipeline, latents);
  if (pipeline.decoderType === 'float16' && !isFinitePicture(planes)) {
    const data = (await pipeline.runtime.read(latents)) as Float32Array;
    if (!data.every(Number.isFinite)) throw new AppError('half-overflow');
    pipeline.decoderType = 'float32';
    planes = await decodeAll(pipeline, latents);
  }
  const { data, width, height } = planes;
  return { rgba: fromPlanarTensor(data, width, height), width, height };
}

const isFinitePicture = ({ data }: Planes): boolean => data.every(Number.isFinite);

async function decodeAll(pipeline: Pipeline, latents: DeviceTensor): Promise<Planes> {
  const { runtime, model } = pipeline;
  const [, planes, height, width] = latents.shape as LatentShape;
  const side = decodedSide(pipeline, latents.shape as LatentShape);
  if (side >= Math.max(height, width)) return decodeTensor(pipeline, latents);
  return inTiles(
    { data: (await runtime.read(latents)) as Planes['data'], planes, height, width },
    { side, sideAfter: side * model.pixelsPerLatent },
    (tile) => decodePlanes(pipeline, tile),
  );
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
  const { runtime, model, graphOptions, decoderType: computeType } = pipeline;
  const shape = latents.shape as LatentShape;
  const program = await pipeline.program(`decode ${computeType} ${shape.join()}`, 'VAE', ['vae'], () =>
    decodeGraph(model.vae, shape, { ...graphOptions, computeType }),
  );
  const picture = assertExists((await program.run({ latents }))['picture'], 'picture');
  const [, planes, height, width] = picture.shape as LatentShape;
  const data = (await runtime.read(picture)) as Planes['data'];
  picture.dispose();
  return { data: data.slice(), planes, height, width }; // tiles are written to; what a runtime answers is its own
}

/** The latents of a picture [3, height, width] in [-1, 1], scaled as the UNet sees them; in tiles where the whole would not fit. */
export async function encodePicture(
  pipeline: Pipeline,
  picture: Float32Array<ArrayBuffer>,
  width: number,
  height = width,
): Promise<Latents> {
  const { unet, pixelsPerLatent } = pipeline.model;
  const [rows, columns] = [height / pixelsPerLatent, width / pixelsPerLatent];
  const side = encodedSide(pipeline, [1, unet.in_channels, rows, columns]);
  const planes = { data: picture, planes: 3, height, width };
  if (side >= Math.max(rows, columns)) return encodePlanes(pipeline, planes);
  const tiled = await inTiles(planes, { side: side * pixelsPerLatent, sideAfter: side }, async (tile) => {
    const { mean, deviation } = await encodePlanes(pipeline, tile);
    const [h, w] = [tile.height / pixelsPerLatent, tile.width / pixelsPerLatent];
    return posteriorPlanes(mean, assertExists(deviation, 'deviation'), h, w);
  });
  const half = tiled.data.length / 2;
  return { mean: tiled.data.slice(0, half), deviation: tiled.data.slice(half).map(Math.exp) };
}

/** Mean and ln(deviation) as planes: what fades from tile to tile is the logarithm, as in diffusers. */
function posteriorPlanes(mean: Float32Array, deviation: Float32Array, height: number, width: number): Planes {
  const data = new Float32Array(2 * mean.length);
  data.set(mean);
  data.set(deviation.map(Math.log), mean.length);
  return { data, planes: data.length / (height * width), height, width };
}

async function encodePlanes(pipeline: Pipeline, { data, height, width }: Planes): Promise<Latents> {
  const { runtime, model } = pipeline;
  const shape = [1, 3, height, width] as const;
  const program = await pipeline.program(`encode ${shape.join()}`, 'VAE', ['vae'], () =>
    encodeGraph(model.vae, shape, pipeline.graphOptions),
  );
  const input = runtime.upload('photos', 'float32', shape, data);
  const outputs = await program.run({ picture: input });
  input.dispose();
  const read = async (tensor: DeviceTensor) => {
    const values = Float32Array.from((await runtime.read(tensor)) as Float32Array);
    tensor.dispose();
    return values;
  };
  const { mean, deviation } = outputs;
  return {
    mean: await read(assertExists(mean, 'mean')),
    deviation: deviation ? await read(deviation) : undefined,
  };
}
