// Against diffusers' AutoencoderTiny and AutoencoderKL. The fixtures have bare latents; the graphs take and give scaled ones, so
// what goes in and what comes out is scaled here as diffusers' pipelines do: (latents − shift_factor) · scaling_factor.
import { join } from 'node:path';
import * as ortNode from 'onnxruntime-node';
import * as ortWeb from 'onnxruntime-web';
import { beforeAll, describe, expect, test } from 'vitest';
import { relativeError, type OnnxRuntime } from '../../onnx/testing/onnxruntime';
import { tensor, type Tensor } from '../../onnx/testing/tensor';
import { decodeGraph, encodeGraph, type AutoencoderConfig, type LatentShape } from '../stable-diffusion';
import { bundledWeights } from '../testing/bundled-weights';
import { floats, readFixture, type Floats, type WeightsNote } from '../testing/fixture';
import { runGraph } from '../testing/program';
import { seededWeights, type Weights } from '../testing/seeded-weights';
import { parseAutoencoderKlConfig } from './kl';
import { parseAutoencoderTinyConfig } from './tiny';

type Fixture = {
  readonly weights: WeightsNote;
  readonly config: unknown;
  readonly inputs: { readonly picture: Floats; readonly latents: Floats };
  readonly outputs: { readonly picture: Floats; readonly latents: Floats } & {
    readonly mean: Floats;
    readonly logvar: Floats;
  };
};

const read = (name: string) => readFixture<Fixture>(join(import.meta.dirname, '..'), name);
const weightsOf = ({ weights }: Fixture): Weights =>
  weights === 'seeded' ? seededWeights : bundledWeights(weights);

function parse(name: string, { config }: Fixture): AutoencoderConfig {
  return name.startsWith('vae-kl')
    ? { kind: 'AutoencoderKL', config: parseAutoencoderKlConfig(config) }
    : { kind: 'AutoencoderTiny', config: parseAutoencoderTinyConfig(config) };
}

const map = ({ shape, data }: Tensor, change: (x: number) => number): Tensor =>
  tensor(shape, data.map(change));

/** Bare latents as the UNet sees them. */
const scaled = ({ config }: AutoencoderConfig, latents: Tensor): Tensor =>
  map(latents, (x) => (x - config.shift_factor) * config.scaling_factor);

async function decode(ort: OnnxRuntime, vae: AutoencoderConfig, fixture: Fixture): Promise<Tensor> {
  const graph = decodeGraph(vae, fixture.inputs.latents.shape as LatentShape);
  const latents = scaled(vae, floats(fixture.inputs.latents));
  return (await runGraph(ort, graph, weightsOf(fixture), { latents }))['picture']!;
}

async function encode(ort: OnnxRuntime, vae: AutoencoderConfig, fixture: Fixture) {
  const graph = encodeGraph(vae, fixture.inputs.picture.shape as [number, 3, number, number]);
  return runGraph(ort, graph, weightsOf(fixture), { picture: floats(fixture.inputs.picture) });
}

async function check(ort: OnnxRuntime, vae: AutoencoderConfig, fixture: Fixture): Promise<void> {
  const { outputs } = fixture;
  const picture = await decode(ort, vae, fixture);
  expect(relativeError(picture, floats(outputs.picture))).toBeLessThanOrEqual(1e-4);
  const { mean, deviation } = await encode(ort, vae, fixture);
  const isTiny = vae.kind === 'AutoencoderTiny';
  const bare = floats(isTiny ? outputs.latents : outputs.mean);
  expect(relativeError(mean!, scaled(vae, bare))).toBeLessThanOrEqual(1e-4);
  if (isTiny) return expect(deviation).toBeUndefined();
  const expected = map(floats(outputs.logvar), (x) => Math.exp(x / 2) * vae.config.scaling_factor);
  expect(relativeError(deviation!, expected)).toBeLessThanOrEqual(1e-4);
}

beforeAll(() => {
  ortWeb.env.wasm.numThreads = 1;
});

describe('decoding and encoding', () => {
  test.each([
    ['vae-tiny-f4', 'native', ortNode],
    ['vae-tiny-f4', 'wasm', ortWeb],
    ['vae-tiny-f8', 'native', ortNode],
    ['vae-taesd', 'native', ortNode],
    ['vae-taesd', 'wasm', ortWeb],
    ['vae-kl-f2', 'native', ortNode],
    ['vae-kl-f2', 'wasm', ortWeb],
    ['vae-kl-f4', 'native', ortNode],
    ['vae-kl-f8', 'native', ortNode],
    ['vae-bundled', 'native', ortNode],
  ])('%s, %s', async (name, _runtime, ort) => {
    const fixture = read(name);
    await check(ort, parse(name, fixture), fixture);
  });

  test.each(['vae-tiny-f4', 'vae-kl-f2'])('%s with latents that are shifted as well', async (name) => {
    const fixture = read(name);
    const vae = parse(name, fixture);
    const config = { ...vae.config, shift_factor: 0.1159, scaling_factor: 0.3611 };
    await check(ortNode, { ...vae, config } as AutoencoderConfig, fixture);
  });
});
