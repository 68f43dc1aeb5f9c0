// Against diffusers' AutoencoderKL with enable_tiling: tiles of several sizes, blended both ways.
import { join } from 'node:path';
import * as ortNode from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { decodeGraph, encodeGraph } from '../models/stable-diffusion';
import { floats, readFixture, type Floats } from '../models/testing/fixture';
import { runGraph } from '../models/testing/program';
import { seededWeights } from '../models/testing/seeded-weights';
import { parseAutoencoderKlConfig } from '../models/vae/kl';
import { relativeError } from '../onnx/testing/onnxruntime';
import { tensor } from '../onnx/testing/tensor';
import { inTiles, type Planes } from './tiles';

type Fixture = {
  readonly config: unknown;
  readonly inputs: { readonly latents: Floats; readonly picture: Floats; readonly tile: number };
  readonly outputs: { readonly picture: Floats; readonly mean: Floats; readonly logvar: Floats };
};

const { config, inputs, outputs } = readFixture<Fixture>(
  join(import.meta.dirname, '../models'),
  'vae-kl-tiled',
);
const vae = parseAutoencoderKlConfig(config);
const pixelsPerLatent = 2 ** (vae.block_out_channels.length - 1);

const planesOf = ({ shape, data }: ReturnType<typeof floats>): Planes => {
  const [n, c, height, width] = shape as readonly [number, number, number, number];
  return { data: Float32Array.from(data), planes: n * c, height, width };
};

const sidesOf = (side: number) => ({ side, sideAfter: side * pixelsPerLatent });

/** Bare latents in, as the fixture has them. */
async function decode({ data, planes, height, width }: Planes): Promise<Planes> {
  const graph = decodeGraph({ kind: 'AutoencoderKL', config: vae }, [1, planes, height, width]);
  const latents = data.map((x) => x * vae.scaling_factor);
  return planesOf((await runGraph(ortNode, graph, seededWeights, { latents }))['picture']!);
}

test('gives diffusers’ picture, and decodes nothing larger than a tile', async () => {
  const sizes = new Set<string>();
  const picture = await inTiles(planesOf(floats(inputs.latents)), sidesOf(inputs.tile), (tile) => {
    sizes.add(`${tile.height}×${tile.width}`);
    return decode(tile);
  });
  const expected = floats(outputs.picture);
  expect([picture.height, picture.width]).toEqual(expected.shape.slice(2));
  expect(relativeError(tensor(expected.shape, picture.data), expected)).toBeLessThanOrEqual(1e-5);
  expect([...sizes].sort()).toEqual(['1×6', '1×8', '7×6', '7×8', '8×6', '8×8']);
});

test('a tile that is as large as the latents is one decoding', async () => {
  const latents = planesOf(floats(inputs.latents));
  const whole = await decode(latents);
  const tiled = await inTiles(latents, sidesOf(32), decode);
  expect(tiled).toEqual(whole);
});

test('gives diffusers’ posterior of a picture', async () => {
  const encoded = await inTiles(
    planesOf(floats(inputs.picture)),
    { side: inputs.tile * pixelsPerLatent, sideAfter: inputs.tile },
    async ({ data, height, width }) => {
      const graph = encodeGraph({ kind: 'AutoencoderKL', config: vae }, [1, 3, height, width]);
      const { mean, deviation } = await runGraph(ortNode, graph, seededWeights, { picture: data });
      const { shape } = mean!;
      const planes = [...mean!.data, ...Array.from(deviation!.data, Math.log)];
      return planesOf(tensor([1, 8, shape[2]!, shape[3]!], planes));
    },
  );
  const expected = { mean: floats(outputs.mean), logvar: floats(outputs.logvar) };
  const { shape } = expected.mean;
  const half = encoded.data.length / 2;
  const mean = encoded.data.slice(0, half).map((x) => x / vae.scaling_factor);
  const logvar = encoded.data.slice(half).map((x) => 2 * (x - Math.log(vae.scaling_factor)));
  expect([encoded.height, encoded.width]).toEqual(shape.slice(2));
  expect(relativeError(tensor(shape, mean), expected.mean)).toBeLessThanOrEqual(1e-5);
  expect(relativeError(tensor(shape, logvar), expected.logvar)).toBeLessThanOrEqual(1e-5);
});
