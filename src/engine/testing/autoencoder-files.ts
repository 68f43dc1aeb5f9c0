// Autoencoders with Stable Diffusion's latents and seeded weights, as the files that the hub has of them. For tests only.
import { join } from 'node:path';
import { decodeGraph, encodeGraph, type AutoencoderConfig } from '../../models/stable-diffusion';
import { readFixture, type Floats } from '../../models/testing/fixture';
import { seededWeights } from '../../models/testing/seeded-weights';
import { parseAutoencoderKlConfig } from '../../models/vae/kl';
import { parseAutoencoderTinyConfig } from '../../models/vae/tiny';
import { writeSafetensors } from '../../weights/safetensors';

type Fixture = {
  readonly config: object;
  readonly inputs: { readonly latents: Floats };
  readonly outputs: { readonly picture: Floats };
};
type Files = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

const read = (name: string) => readFixture<Fixture>(join(import.meta.dirname, '../../models'), name);

/** TAESD's own config, and what diffusers decodes with these weights. */
export const taesdFixture = read('vae-taesd');

/** The repository of TAESD, 9.8 MB. */
export function taesdFiles(): Files {
  const { config } = taesdFixture;
  return filesOf('', config, { kind: 'AutoencoderTiny', config: parseAutoencoderTinyConfig(config) });
}

/** A small AutoencoderKL, in place of a model's own autoencoder. */
export function klFiles(): Files {
  const { config } = read('vae-kl-f8');
  return filesOf('vae/', config, { kind: 'AutoencoderKL', config: parseAutoencoderKlConfig(config) });
}

function filesOf(folder: string, config: object, vae: AutoencoderConfig): Files {
  const graphs = [decodeGraph(vae, [1, 4, 8, 8]), encodeGraph(vae, [1, 3, 64, 64])];
  const tensors = graphs
    .flatMap(({ parameters }) => parameters)
    .map(({ name, shape }) => ({
      name: name.slice('vae.'.length),
      dtype: 'F32' as const,
      shape,
      data: seededWeights(name, shape),
    }));
  return new Map([
    [`${folder}config.json`, new TextEncoder().encode(JSON.stringify({ _class_name: vae.kind, ...config }))],
    [`${folder}diffusion_pytorch_model.safetensors`, writeSafetensors(tensors)],
  ]);
}
