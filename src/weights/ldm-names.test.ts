// Against a small model that diffusers' single-file converters read back (tools/oracle/single_file.py), and against the names of a
// Stable Diffusion 1 file where a list of them is there.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { crc32 } from '../base/crc32';
import { parseClipTextConfig } from '../models/clip/config';
import { listParameters } from '../models/parameters';
import { stableDiffusion1 } from '../models/presets/stable-diffusion';
import { parseUnetConfig } from '../models/unet/config';
import { parseAutoencoderKlConfig } from '../models/vae/kl';
import { ldmPlace, type LdmLayout } from './ldm-names';
import { singleFileTensors } from './testing/single-file';
import fixture from './__fixtures__/single-file.json';

const parametersOf = (unet: unknown, text: unknown, vae: unknown) =>
  listParameters({
    unet: parseUnetConfig(unet),
    text: parseClipTextConfig(text),
    vae: { kind: 'AutoencoderKL', config: parseAutoencoderKlConfig(vae) },
  }).parameters;
const layout: LdmLayout = {
  layersPerBlock: 2,
  upBlockAttends: [false, true, true, true],
  vaeLevels: 4,
  textEncoder: 'open-clip',
};

test('a small Stable Diffusion 2 lies in its file as the original code and OpenCLIP name it', () => {
  const { unet, text_encoder, vae } = fixture.configs;
  const tensors = singleFileTensors(parametersOf(unet, text_encoder, vae), layout);
  const found = tensors.map(({ name, shape, data }) => [
    name,
    [crc32(new Uint8Array(data.buffer as ArrayBuffer)), shape],
  ]);
  expect(Object.fromEntries(found)).toEqual(fixture.tensors);
});

const keymap = join(import.meta.dirname, '../../../shared/data/sd-keymaps/sd1map.json');
const isThere = existsSync(keymap);

test.skipIf(!isThere)(
  `Stable Diffusion 1 has the names of its file${isThere ? '' : ' (the list is not there)'}`,
  () => {
    const { ldm_diffusers_keymap: names, ldm_diffusers_shape_map: shapes } = JSON.parse(
      readFileSync(keymap, 'utf8'),
    ) as {
      readonly ldm_diffusers_keymap: Readonly<Record<string, string>>;
      readonly ldm_diffusers_shape_map: Readonly<Record<string, readonly [file: number[], model: number[]]>>;
    };
    const { unet, textEncoder, vae } = stableDiffusion1;
    const parameters = parametersOf(unet, textEncoder, vae);
    const places = parameters.map(({ name, shape }) => ({
      name: name.replace(/^text_encoder\./, 'te_').replace(/^(unet|vae)\./, '$1_'),
      shape,
      place: ldmPlace(name, shape, { ...layout, textEncoder: 'clip' }),
    }));
    expect(Object.fromEntries(places.map(({ name, place }) => [place.name, name]))).toEqual(names);
    const reshaped = places.filter(({ shape, place }) => shape.join() !== place.shape.join());
    expect(
      Object.fromEntries(reshaped.map(({ shape, place }) => [place.name, [place.shape, shape]])),
    ).toEqual(shapes);
  },
);
