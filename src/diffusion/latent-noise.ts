// The noise of a batch of pictures, drawn as diffusers draws it for a list of generators, one a picture: picture i of a request comes from
// seed + i whatever the batch, so that it can be drawn again alone.
import { assert } from '../base/assert';
import { createTorchGenerator, torchRandn } from '../base/random';

export type LatentShape = readonly [channels: number, height: number, width: number];

/**
 * Draws for `seeds.length` pictures, each from its own torch generator. The first call of the result gives the initial latents, each later
 * one a step's noise: [seeds.length, channels, height, width], one `torch.randn([1, c, h, w])` a picture.
 * diffusers with a single generator for a batch of n draws all at once; that is `createLatentNoise([seed], [n * c, h, w])`.
 */
export function createLatentNoise(
  seeds: readonly number[],
  shape: LatentShape,
): () => Float32Array<ArrayBuffer> {
  assert(seeds.length > 0, 'latent noise needs a seed');
  const size = shape[0] * shape[1] * shape[2];
  const generators = seeds.map(createTorchGenerator);
  return () => {
    const noise = new Float32Array(seeds.length * size);
    generators.forEach((generator, i) => noise.set(generator.randn(size), i * size));
    return noise;
  };
}

/** Initial latents [channels, height, width] of picture `index` of a request: torch.randn from a generator of its own, seeded `seed + index`. */
export function initialNoise(seed: number, index: number, shape: LatentShape): Float32Array<ArrayBuffer> {
  return torchRandn(seed + index, shape[0] * shape[1] * shape[2]);
}
