import { expect, test } from 'vitest';
import { chooseFiles, type HubFile } from './choose-files';
import { parseHubAddress } from './hub-address';

const file = (path: string): HubFile => ({ path, sizeBytes: 1, sha256: undefined, gitId: '' });
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
const choose = (...paths: readonly string[]) => chooseFiles(paths.map(file));

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

test.each<[string, readonly string[], string]>([
  ['pickles only', [...configs, ...weights('.bin')], 'unet comes as a Python pickle'],
  [
    'shards',
    [...configs, 'unet/diffusion_pytorch_model.safetensors.index.json'],
    'unet comes in several files',
  ],
  ['no weights', configs, 'no unet/diffusion_pytorch_model.safetensors'],
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

test.each([
  ['nota-ai/bk-sdm-tiny', 'nota-ai/bk-sdm-tiny', 'main'],
  [' nota-ai/bk-sdm-tiny@fp16 ', 'nota-ai/bk-sdm-tiny', 'fp16'],
  ['a/b@refs/pr/3', 'a/b', 'refs/pr/3'],
  ['https://huggingface.co/SimianLuo/LCM_Dreamshaper_v7', 'SimianLuo/LCM_Dreamshaper_v7', 'main'],
  ['https://huggingface.co/a/b/tree/fp16/unet?x=1#top', 'a/b', 'fp16'],
  ['hf.co/a/b/', 'a/b', 'main'],
])('reads the address %s', (text, id, revision) => {
  expect(parseHubAddress(text)).toEqual({ id, revision });
});

test.each(['', 'gpt2', 'a/b/c', 'https://example.org/a/b', 'datasets/a', '../a', 'a/b@', 'a b/c', 'a/..'])(
  'does not take %j for an address',
  (text) => {
    expect(parseHubAddress(text)).toBeUndefined();
  },
);
