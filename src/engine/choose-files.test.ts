import { describe, expect, test } from 'vitest';
import { chooseFiles } from './choose-files';

const configs = [
  'model_index.json',
  'scheduler/scheduler_config.json',
  'text_encoder/config.json',
  'tokenizer/merges.txt',
  'tokenizer/special_tokens_map.json',
  'tokenizer/vocab.json',
  'unet/config.json',
  'vae/config.json',
];
const weights = (end: string) => [
  `text_encoder/model${end}`,
  `unet/diffusion_pytorch_model${end}`,
  `vae/diffusion_pytorch_model${end}`,
];
const choose = (...paths: readonly string[]) => chooseFiles(paths.map((path) => ({ path })));

test('half precision is preferred, by component, under the plain name', () => {
  const other = [
    'README.md',
    'v1-5-pruned.ckpt',
    'v1-5-pruned.safetensors',
    'safety_checker/model.safetensors',
    'unet/diffusion_pytorch_model.non_ema.safetensors',
    'unet/diffusion_pytorch_model.bin',
    'vae_decoder/model.onnx',
  ];
  const full = weights('.safetensors');
  const half = 'unet/diffusion_pytorch_model.fp16.safetensors';
  const chosen = choose(...configs, ...other, ...full, half);
  expect(chosen.map(({ path }) => path).sort()).toEqual(
    [...configs, ...full.filter((path) => !path.startsWith('unet')), half].sort(),
  );
  expect(chosen.find(({ path }) => path === half)!.name).toBe('unet/diffusion_pytorch_model.safetensors');
  expect(chosen.slice(-3).every(({ name }) => name.endsWith('.safetensors'))).toBe(true);
});

const plain = weights('.safetensors');
const [text, unet, vae] = plain as [string, string, string];
const unetStem = unet.replace('.safetensors', '');

/** Without the UNet's plain file; with these in its place. */
const withUnet = (...paths: readonly string[]) =>
  choose(...configs, text, vae, ...paths)
    .filter(({ path }) => path.startsWith('unet/d'))
    .map(({ path, name }) => [path.slice('unet/'.length), name.slice('unet/'.length)]);

describe('the weights of a component', () => {
  const half = [
    `${unetStem}.safetensors.index.fp16.json`,
    `${unetStem}.fp16-00001-of-00002.safetensors`,
    `${unetStem}.fp16-00002-of-00002.safetensors`,
  ];
  const full = [
    `${unetStem}.safetensors.index.json`,
    `${unetStem}-00001-of-00002.safetensors`,
    `${unetStem}-00002-of-00002.safetensors`,
  ];
  const plainNames = full.map((path) => path.slice('unet/'.length));
  const before = `${unetStem}-00001-of-00001.fp16.safetensors`; // the variant's place in older versions

  test.each<[string, readonly string[], readonly (readonly [string, string])[]]>([
    [
      'in several files of half precision before several of full',
      [...full, ...half],
      half.map((path, i) => [path.slice('unet/'.length), plainNames[i]!]),
    ],
    ['in several files of full precision', full, plainNames.map((name) => [name, name])],
    [
      'in one file before several',
      [...full, unet],
      [['diffusion_pytorch_model.safetensors', 'diffusion_pytorch_model.safetensors']],
    ],
    [
      'with the variant behind the numbers',
      [`${unetStem}.fp16.safetensors.index.json`, before],
      [
        ['diffusion_pytorch_model.fp16.safetensors.index.json', plainNames[0]!],
        [before.slice('unet/'.length), 'diffusion_pytorch_model-00001-of-00001.safetensors'],
      ],
    ],
    [
      'as a pickle where there is nothing else, half precision first',
      [`${unetStem}.bin`, `${unetStem}.fp16.bin`],
      [['diffusion_pytorch_model.fp16.bin', 'diffusion_pytorch_model.bin']],
    ],
    [
      'never as a pickle where a safetensors file is',
      [`${unetStem}.fp16.bin`, ...full],
      plainNames.map((name) => [name, name]),
    ],
    [
      'as several pickles',
      [`${unetStem}.bin.index.json`, `${unetStem}-00001-of-00001.bin`],
      [
        ['diffusion_pytorch_model.bin.index.json', 'diffusion_pytorch_model.bin.index.json'],
        ['diffusion_pytorch_model-00001-of-00001.bin', 'diffusion_pytorch_model-00001-of-00001.bin'],
      ],
    ],
  ])('%s', (_, paths, chosen) => {
    expect(withUnet(...paths)).toEqual(chosen);
  });

  test('the text encoder’s pickle has a name of its own', () => {
    const paths = choose(...configs, unet, vae, 'text_encoder/pytorch_model.fp16.bin');
    expect(paths.at(-2)).toEqual({
      path: 'text_encoder/pytorch_model.fp16.bin',
      name: 'text_encoder/pytorch_model.bin',
    });
  });
});

test.each<[string, readonly string[], string]>([
  ['no weights', configs, 'there is no unet/diffusion_pytorch_model.safetensors'],
  ['no tokenizer', configs.filter((path) => !path.startsWith('tokenizer/v')), 'no tokenizer/vocab.json'],
  ['a LoRA', ['pytorch_lora_weights.safetensors', 'README.md'], 'a LoRA'],
  ['a single file', ['dreamshaper_8.safetensors'], 'only single files'],
  ['a language model', ['config.json', 'model/x.safetensors'], 'no model_index.json'],
])('refuses %s with the reason', (_, paths, reason) => {
  expect(() => choose(...paths)).toThrow(
    expect.objectContaining({
      code: 'unsupported-model',
      details: { reason: expect.stringContaining(reason) as string },
    }) as Error,
  );
});
