import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodeGraph, encodeGraph, type LatentShape } from '../models/stable-diffusion';
import { parseAutoencoderKlConfig } from '../models/vae/kl';
import { writeSafetensors } from '../weights/safetensors';
import { openBaseModel } from './base-model';
import { bundledFolder, bundledModel } from './testing/bundled';

const vaeConfig = {
  _class_name: 'AutoencoderKL',
  block_out_channels: [8, 8, 8],
  down_block_types: Array<string>(3).fill('DownEncoderBlock2D'),
  up_block_types: Array<string>(3).fill('UpDecoderBlock2D'),
  latent_channels: 4,
  norm_num_groups: 4,
};

/** An autoencoder's weights, all zero, whose attention is named as `rename` says. */
function vaeWeights(rename: (name: string) => string): Uint8Array<ArrayBuffer> {
  const vae = { kind: 'AutoencoderKL', config: parseAutoencoderKlConfig(vaeConfig) } as const;
  const latents: LatentShape = [1, 4, 2, 2];
  const parameters = [decodeGraph(vae, latents), encodeGraph(vae, [1, 3, 8, 8])].flatMap((graph) => [
    ...graph.parameters,
  ]);
  const shapes = new Map(
    parameters.map(({ name, shape }) => [rename(name.slice('vae.'.length)), [...shape]]),
  );
  return writeSafetensors(
    [...shapes].map(([name, shape]) => ({
      name,
      dtype: 'F16',
      shape,
      data: new Uint16Array(shape.reduce((product, size) => product * size, 1)),
    })),
  );
}

const before = (name: string) =>
  name
    .replace('.to_q.', '.query.')
    .replace('.to_k.', '.key.')
    .replace('.to_v.', '.value.')
    .replace('.to_out.0.', '.proj_attn.');

async function openWith(others: Readonly<Record<string, BlobPart>>) {
  const { manifest } = await bundledModel();
  return openBaseModel(
    manifest,
    async (path) => new Blob([others[path] ?? (await readFile(join(bundledFolder, path)))]),
  );
}

test.each([
  ['of today', (name: string) => name],
  ['of diffusers before 0.16', before],
])('an autoencoder’s attention is found by its names %s', async (_, rename) => {
  const weights = vaeWeights(rename);
  const model = await openWith({
    'vae/config.json': JSON.stringify(vaeConfig),
    'vae/diffusion_pytorch_model.safetensors': weights,
  });
  const names = model.sources.vae.map(({ name }) => name);
  expect(names).toContain('vae.decoder.mid_block.attentions.0.to_out.0.weight');
  expect(names).toContain('vae.encoder.mid_block.attentions.0.to_q.bias');
});

test('a tokenizer without the two files of special tokens has CLIP’s own', async () => {
  const { manifest, tokenizer } = await bundledModel();
  const files = manifest.files.filter(({ path }) => !/special_tokens|tokenizer_config/.test(path));
  const model = await openBaseModel({ ...manifest, files }, async (path) => {
    expect(files.map((file) => file.path)).toContain(path);
    return new Blob([await readFile(join(bundledFolder, path))]);
  });
  expect(model.tokenizer.encode('a red ball')).toEqual(tokenizer.encode('a red ball'));
});
