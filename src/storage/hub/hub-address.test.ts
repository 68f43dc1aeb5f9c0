import { expect, test } from 'vitest';
import { parseHubAddress } from './hub-address';

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
