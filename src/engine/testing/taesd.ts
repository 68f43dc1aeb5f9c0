// TAESD as its repository has it, with seeded weights. For tests only.
import { join } from 'node:path';
import { decodeGraph, encodeGraph } from '../../models/stable-diffusion';
import { readFixture, type Floats } from '../../models/testing/fixture';
import { seededWeights } from '../../models/testing/seeded-weights';
import { parseAutoencoderTinyConfig } from '../../models/vae/tiny';
import { writeSafetensors } from '../../weights/safetensors';

type TaesdFixture = {
  readonly config: unknown;
  readonly inputs: { readonly latents: Floats };
  readonly outputs: { readonly picture: Floats };
};

/** What diffusers' AutoencoderTiny decodes with these weights. */
export const taesdFixture = readFixture<TaesdFixture>(join(import.meta.dirname, '../../models'), 'vae-taesd');

/** Its two files, 9.8 MB. */
export function taesdFiles(): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  const vae = { kind: 'AutoencoderTiny', config: parseAutoencoderTinyConfig(taesdFixture.config) } as const;
  const graphs = [decodeGraph(vae, [1, 4, 8, 8]), encodeGraph(vae, [1, 3, 64, 64])];
  const tensors = graphs
    .flatMap(({ parameters }) => parameters)
    .map(({ name, shape }) => ({
      name: name.slice('vae.'.length),
      dtype: 'F32' as const,
      shape,
      data: seededWeights(name, shape) as Float32Array<ArrayBuffer>,
    }));
  return new Map([
    ['config.json', new TextEncoder().encode(JSON.stringify(taesdFixture.config))],
    ['diffusion_pytorch_model.safetensors', writeSafetensors(tensors)],
  ]);
}
