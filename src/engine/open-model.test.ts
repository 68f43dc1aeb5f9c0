// What a person may drop: a diffusers folder in its several forms, a checkpoint of PyTorch, and files that must be refused.
import { describe, expect, test } from 'vitest';
import { floatToHalf } from '../base/float16';
import { parseClipTextConfig } from '../models/clip/config';
import { listParameters } from '../models/parameters';
import { stableDiffusion2, stableDiffusion2Base } from '../models/presets/stable-diffusion';
import { parseUnetConfig } from '../models/unet/config';
import { parseAutoencoderKlConfig } from '../models/vae/kl';
import { writeSafetensors, type TensorToWrite } from '../weights/safetensors';
import { numbered, singleFileTensors } from '../weights/testing/single-file';
import { archive, checkpoint, dictionary, text, tuple } from '../weights/testing/torch-file';
import { makeZip } from '../weights/testing/zip';
import fixture from '../weights/__fixtures__/single-file.json';
import type { ModelParts } from './model-parts';
import { openModelFiles } from './open-model';
import { openSingleFile } from './single-file';

const { unet, text_encoder, vae } = fixture.configs;
const { parameters } = listParameters({
  unet: parseUnetConfig(unet),
  text: parseClipTextConfig(text_encoder),
  vae: { kind: 'AutoencoderKL', config: parseAutoencoderKlConfig(vae) },
});

/** The tensors of one component with its own names, renamed by `rename`. */
const component = (name: string, rename = (path: string) => path): TensorToWrite[] => {
  const own = new Map(
    parameters.filter((one) => one.name.startsWith(`${name}.`)).map((one) => [one.name, one.shape]),
  );
  return [...own].map(([full, shape]) => ({
    name: rename(full.slice(name.length + 1)),
    dtype: 'F32',
    shape,
    data: numbered(full, shape),
  }));
};
const json = (value: unknown) => new Blob([JSON.stringify(value)]);
const safetensors = (tensors: readonly TensorToWrite[]) => new Blob([writeSafetensors(tensors)]);

const folder: Readonly<Record<string, Blob>> = {
  'model_index.json': json({ _class_name: 'StableDiffusionPipeline' }),
  'unet/config.json': json(unet),
  'unet/diffusion_pytorch_model.safetensors': safetensors(component('unet')),
  'text_encoder/config.json': json(text_encoder),
  'text_encoder/model.safetensors': safetensors(component('text_encoder')),
  'vae/config.json': json({ _class_name: 'AutoencoderKL', ...vae }),
  'vae/diffusion_pytorch_model.safetensors': safetensors(component('vae')),
  'scheduler/scheduler_config.json': json(stableDiffusion2.scheduler),
  'tokenizer/vocab.json': json({}),
  'tokenizer/merges.txt': new Blob(['#version']),
};
const open = (files: Readonly<Record<string, Blob | undefined>>) =>
  openModelFiles(new Map(Object.entries(files).flatMap(([path, file]) => (file ? [[path, file]] : []))));

const unetFile = 'unet/diffusion_pytorch_model.safetensors';
const unetIndex = `${unetFile}.index.json`;
const shardName = (i: number, end = 'safetensors') => `diffusion_pytorch_model-0000${i}-of-00002.${end}`;

/** The UNet in two files and an index, which says what `says` makes of the truth. */
function shards(
  says = (map: Record<string, string>) => map,
  end = 'safetensors',
  write: (tensors: readonly TensorToWrite[]) => Blob = safetensors,
): Readonly<Record<string, Blob | undefined>> {
  const all = component('unet');
  const parts = [all.slice(0, 100), all.slice(100)];
  const map = Object.fromEntries(
    parts.flatMap((part, i) => part.map(({ name }) => [name, shardName(i + 1, end)])),
  );
  return {
    ...folder,
    [unetFile]: undefined,
    [`unet/diffusion_pytorch_model.${end}.index.json`]: json({
      metadata: { total_size: 1 },
      weight_map: says(map),
    }),
    [`unet/${shardName(1, end)}`]: write(parts[0]!),
    [`unet/${shardName(2, end)}`]: write(parts[1]!),
  };
}

/** Every weight is there, with the numbers that belong to its name. */
async function expectWhole({ sources }: Pick<ModelParts, 'sources'>): Promise<void> {
  const all = [...sources.unet, ...sources.text_encoder, ...sources.vae];
  expect(all.map(({ name }) => name).sort()).toEqual(parameters.map(({ name }) => name).sort());
  for (const source of all) {
    const { name, shape } = source;
    const bytes = await source.read();
    expect([name, Buffer.compare(bytes, new Uint8Array(numbered(name, shape).buffer))]).toEqual([name, 0]);
  }
}

const olderNames = (path: string) =>
  path
    .replace('.to_q.', '.query.')
    .replace('.to_k.', '.key.')
    .replace('.to_v.', '.value.')
    .replace('.to_out.0.', '.proj_attn.');

describe('a folder in diffusers layout', () => {
  test.each<[string, Readonly<Record<string, Blob | undefined>>]>([
    ['as it is', folder],
    [
      'within other folders',
      Object.fromEntries(Object.entries(folder).map(([path, file]) => [`models/mine/${path}`, file])),
    ],
    [
      'without model_index.json, and with other files',
      {
        ...folder,
        'model_index.json': undefined,
        'README.md': new Blob(['#']),
        'safety_checker/model.safetensors': new Blob(['no']),
      },
    ],
    [
      'with the autoencoder’s names of before 2023',
      { ...folder, 'vae/diffusion_pytorch_model.safetensors': safetensors(component('vae', olderNames)) },
    ],
    [
      'with the text encoder’s names of transformers 5',
      {
        ...folder,
        'text_encoder/model.safetensors': safetensors(
          component('text_encoder', (path) => path.replace('text_model.', '')),
        ),
      },
    ],
    ['with the UNet in two files', shards()],
    ['with the UNet in two of PyTorch’s own files', shards(undefined, 'bin', checkpoint)],
    [
      'with PyTorch’s own files',
      {
        ...folder,
        'vae/diffusion_pytorch_model.safetensors': undefined,
        'vae/diffusion_pytorch_model.bin': checkpoint(component('vae')),
      },
    ],
  ])('%s', async (_, files) => {
    const model = await open(files);
    await expectWhole(model);
    expect(model.schedule.predictionType).toBe('v_prediction');
  });

  test('half precision is preferred where both are there', async () => {
    const halves = component('unet').map((tensor) => ({
      ...tensor,
      dtype: 'F16' as const,
      data: floatToHalf(new Float32Array(tensor.data.byteLength / 4)),
    }));
    const { sources } = await open({
      ...folder,
      'unet/diffusion_pytorch_model.fp16.safetensors': safetensors(halves),
    });
    expect(new Set(sources.unet.map(({ type }) => type))).toEqual(new Set(['float16']));
  });

  test('names what one of its files lacks', async () => {
    const lacking = component('vae').filter(({ name }) => !name.startsWith('quant_conv.'));
    const files = { ...folder, 'vae/diffusion_pytorch_model.safetensors': safetensors(lacking) };
    await expect(open(files)).rejects.toMatchObject({
      code: 'bad-file',
      details: {
        file: 'vae/diffusion_pytorch_model.safetensors',
        reason: 'of its 248 weights these are missing: "quant_conv.bias", "quant_conv.weight"',
      },
    });
  });

  const without = (name: string) => (map: Record<string, string>) =>
    Object.fromEntries(Object.entries(map).filter(([key]) => key !== name));

  test.each<[string, Readonly<Record<string, Blob | undefined>>, string]>([
    [
      'a file missing',
      { ...shards(), [`unet/${shardName(2)}`]: undefined },
      `it names unet/${shardName(2)}, which is missing`,
    ],
    [
      'all files missing',
      { ...shards(), [`unet/${shardName(1)}`]: undefined, [`unet/${shardName(2)}`]: undefined },
      `it names unet/${shardName(1)}, which is missing`,
    ],
    [
      'a weight that its file does not have',
      shards((map) => ({ ...map, 'no.weight': shardName(1) })),
      `"no.weight" should lie in unet/${shardName(1)} and does not`,
    ],
    [
      'a weight that lies in the other file',
      shards((map) => ({ ...map, 'conv_in.bias': shardName(2) })),
      `"conv_in.bias" should lie in unet/${shardName(2)} and does not`,
    ],
    [
      'a weight that it does not name',
      shards(without('conv_in.bias')),
      `"conv_in.bias" lies in unet/${shardName(1)}, which it does not say`,
    ],
    [
      'no table',
      { ...shards(), [unetIndex]: json({ weights: [] }) },
      'it does not say which file holds which weight',
    ],
    ['no JSON', { ...shards(), [unetIndex]: new Blob(['<html>']) }, 'it is not JSON'],
  ])('is refused with an index of several files that has %s', async (_, files, reason) => {
    await expect(open(files)).rejects.toMatchObject({
      code: 'bad-file',
      details: { file: unetIndex, reason },
    });
  });

  test('names what all its files together lack', async () => {
    const lacking = component('unet').slice(100);
    const files = {
      ...shards((map) => Object.fromEntries(Object.entries(map).slice(100))),
      [`unet/${shardName(1)}`]: undefined,
      [`unet/${shardName(2)}`]: safetensors(lacking),
    };
    await expect(open(files)).rejects.toMatchObject({
      code: 'bad-file',
      details: {
        file: unetIndex,
        reason: expect.stringMatching(/^of its 686 weights these are missing: .* and 97 more$/) as string,
      },
    });
  });

  const missing = 'it is missing in the folder of the model';
  test.each<[string, Readonly<Record<string, Blob | undefined>>, object]>([
    [
      'a config missing',
      { ...folder, 'vae/config.json': undefined },
      { code: 'bad-file', details: { file: 'vae/config.json', reason: missing } },
    ],
    [
      'weights missing',
      { ...folder, 'unet/diffusion_pytorch_model.safetensors': undefined },
      { code: 'bad-file', details: { file: 'unet/diffusion_pytorch_model.safetensors', reason: missing } },
    ],
    [
      'inpainting',
      { ...folder, 'unet/config.json': json({ ...unet, in_channels: 9 }) },
      {
        code: 'unsupported-model',
        details: { reason: 'it is an inpainting model, where the autoencoder gives 4' },
      },
    ],
    [
      'a UNet that predicts variances too',
      { ...folder, 'unet/config.json': json({ ...unet, out_channels: 8 }) },
      { code: 'unsupported-model', details: { reason: 'it takes 4 channels and predicts 8' } },
    ],
    [
      'the text encoder of another model',
      { ...folder, 'text_encoder/config.json': json({ ...text_encoder, hidden_size: 64 }) },
      {
        code: 'unsupported-model',
        details: { reason: 'it attends to 32 numbers a word, where the text encoder gives 64' },
      },
    ],
    [
      'a config that is no JSON',
      { ...folder, 'unet/config.json': new Blob(['<html>']) },
      { code: 'bad-file', details: { file: 'unet/config.json', reason: 'it is not JSON' } },
    ],
    [
      'a pickle that calls os.system',
      {
        ...folder,
        'vae/diffusion_pytorch_model.safetensors': undefined,
        'vae/diffusion_pytorch_model.bin': archive(dictionary(`cos\nsystem\n${tuple(text('exit 1'))}R`)),
      },
      {
        code: 'bad-file',
        details: {
          file: 'vae/diffusion_pytorch_model.bin',
          reason: 'it wants "os.system" to be run, which weights do not need; nothing was run',
        },
      },
    ],
    [
      'null in place of a config',
      { ...folder, 'unet/config.json': json(null), 'model_index.json': json(null) },
      { code: 'unsupported-model' },
    ],
    [
      'two models side by side',
      { 'a/unet/config.json': json(unet), 'b/unet/config.json': json(unet) },
      {
        code: 'bad-file',
        details: { file: 'b/', reason: 'there are several models: choose the folder of one' },
      },
    ],
    [
      'nothing of a model',
      { 'photo.png': new Blob(['no']) },
      {
        code: 'bad-file',
        details: {
          file: 'photo.png',
          reason: 'there is neither a folder in diffusers layout nor a file of weights',
        },
      },
    ],
    [
      'two single files',
      { 'a.safetensors': new Blob(), 'b.ckpt': new Blob() },
      {
        code: 'bad-file',
        details: {
          reason: 'there are 2 files of weights without the folder around them: choose one, or the folder',
        },
      },
    ],
    ['no files', {}, { code: 'bad-file', details: { file: 'nothing' } }],
  ])('is refused: %s', async (_, files, error) => {
    await expect(open(files)).rejects.toMatchObject(error);
  });
});

test('a checkpoint of PyTorch with every weight', async () => {
  const small = { ...stableDiffusion2Base, unet, textEncoder: text_encoder, vae };
  const layout = {
    layersPerBlock: 2,
    upBlockAttends: [false, true, true, true],
    vaeLevels: 4,
    textEncoder: 'open-clip',
  } as const;
  const file = checkpoint(singleFileTensors(parameters, layout));
  const model = await openSingleFile(new Map([['model.ckpt', file]]), 'model.ckpt', [small]);
  await expectWhole(model);
});

/** A safetensors file with this header, and these bytes of data behind it. */
function withHeader(header: string, dataBytes: number, length = BigInt(header.length)): Blob {
  const start = new DataView(new ArrayBuffer(8));
  start.setBigUint64(0, length, true);
  return new Blob([start.buffer, header, new Uint8Array(dataBytes)]);
}
const entry = (begin: number, end: number, dtype = 'F32') => ({
  dtype,
  shape: [(end - begin) / 4],
  data_offsets: [begin, end],
});

describe('a bad file is refused with a reason, and nothing of it is run', () => {
  test.each<[string, string, Blob, string]>([
    [
      'a header of 2^63 bytes',
      'm.safetensors',
      withHeader('{}', 0, 2n ** 63n),
      'it is not a safetensors file',
    ],
    [
      'tensors that overlap',
      'm.safetensors',
      withHeader(JSON.stringify({ a: entry(0, 8), b: entry(4, 12) }), 12),
      '"b" shares bytes with another tensor',
    ],
    [
      'a gap',
      'm.safetensors',
      withHeader(JSON.stringify({ a: entry(0, 8), b: entry(12, 16) }), 16),
      '"b" comes after a gap that belongs to nothing',
    ],
    [
      'an offset outside',
      'm.safetensors',
      withHeader(JSON.stringify({ a: entry(0, 8), b: entry(2 ** 40, 2 ** 40 + 8) }), 16),
      'an offset of "b" points outside the file',
    ],
    [
      'an unknown number type',
      'm.safetensors',
      withHeader(JSON.stringify({ a: entry(0, 8, 'F128') }), 8),
      '"a" has the unknown number type "F128"',
    ],
    [
      'a pickle that calls os.system',
      'm.ckpt',
      archive(dictionary(`cos\nsystem\n${tuple(text('exit 1'))}R`)),
      'it wants "os.system" to be run, which weights do not need; nothing was run',
    ],
    [
      'a zip bomb',
      'm.ckpt',
      makeZip([{ path: 'archive/data.pkl', content: new Uint8Array(1000), method: 8, fullBytes: 2 ** 31 }]),
      '"archive/data.pkl" is compressed; PyTorch stores everything as it is',
    ],
    ['an empty file', 'm.ckpt', new Blob(), 'the file is empty'],
  ])('%s', async (_, path, file, reason) => {
    await expect(open({ [path]: file })).rejects.toMatchObject({
      code: 'bad-file',
      details: { file: path, reason },
    });
  });
});
