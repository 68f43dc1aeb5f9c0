// Against diffusers' AutoencoderKL with enable_tiling: tiles of several sizes, blended both ways.
import { join } from 'node:path';
import * as ortNode from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { decodeGraph } from '../models/stable-diffusion';
import { floats, readFixture, type Floats } from '../models/testing/fixture';
import { runGraph } from '../models/testing/program';
import { seededWeights } from '../models/testing/seeded-weights';
import { parseAutoencoderKlConfig } from '../models/vae/kl';
import { relativeError } from '../onnx/testing/onnxruntime';
import { tensor } from '../onnx/testing/tensor';
import { decodeInTiles, type Planes } from './tiled-decode';

type Fixture = {
  readonly config: unknown;
  readonly inputs: { readonly latents: Floats; readonly tile: number };
  readonly outputs: { readonly picture: Floats };
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

/** Bare latents in, as the fixture has them. */
async function decode({ data, planes, height, width }: Planes): Promise<Planes> {
  const graph = decodeGraph({ kind: 'AutoencoderKL', config: vae }, [1, planes, height, width]);
  const latents = data.map((x) => x * vae.scaling_factor);
  return planesOf((await runGraph(ortNode, graph, seededWeights, { latents }))['picture']!);
}

test('gives diffusers’ picture, and decodes nothing larger than a tile', async () => {
  const sizes = new Set<string>();
  const picture = await decodeInTiles(
    planesOf(floats(inputs.latents)),
    inputs.tile,
    pixelsPerLatent,
    (tile) => {
      sizes.add(`${tile.height}×${tile.width}`);
      return decode(tile);
    },
  );
  const expected = floats(outputs.picture);
  expect([picture.height, picture.width]).toEqual(expected.shape.slice(2));
  expect(relativeError(tensor(expected.shape, picture.data), expected)).toBeLessThanOrEqual(1e-5);
  expect([...sizes].sort()).toEqual(['1×6', '1×8', '7×6', '7×8', '8×6', '8×8']);
});

test('a tile that is as large as the latents is one decoding', async () => {
  const latents = planesOf(floats(inputs.latents));
  const whole = await decode(latents);
  const tiled = await decodeInTiles(latents, 32, pixelsPerLatent, decode);
  expect(tiled).toEqual(whole);
});
