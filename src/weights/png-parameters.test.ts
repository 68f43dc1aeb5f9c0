import { expect, test } from 'vitest';
import { formatParameters, parseParameters, type ImageParameters } from './png-parameters';

test('writes the layout of AUTOMATIC1111', () => {
  const text = formatParameters({
    prompt: 'a photo of sks dog, on the beach',
    negativePrompt: 'blurry',
    settings: {
      Steps: '20',
      Sampler: 'DDIM',
      'CFG scale': '7.5',
      Seed: '42',
      Size: '512x512',
      'Lora hashes': 'sksdog: 0123456789ab',
    },
  });
  expect(text).toBe(
    'a photo of sks dog, on the beach\nNegative prompt: blurry\n' +
      'Steps: 20, Sampler: DDIM, CFG scale: 7.5, Seed: 42, Size: 512x512, Lora hashes: "sksdog: 0123456789ab"',
  );
});

const settings = { Steps: '4', Sampler: 'Euler', Seed: '4294967295' };

test.each<[string, ImageParameters]>([
  ['plain', { prompt: 'a dog', negativePrompt: '', settings }],
  ['several lines', { prompt: 'a dog\nin the snow', negativePrompt: 'ugly\nred: yes', settings }],
  ['empty prompt', { prompt: '', negativePrompt: 'ugly', settings }],
  ['quoted values', { prompt: 'x', negativePrompt: '', settings: { ...settings, Model: 'a, "b": c\\d\ne' } }],
  [
    'other scripts',
    { prompt: '一只狗 🐕', negativePrompt: 'été', settings: { ...settings, Model: 'größe' } },
  ],
  ['no settings', { prompt: 'a dog, red: yes', negativePrompt: '', settings: {} }],
])('comes back as it was: %s', (_, parameters) => {
  expect(parseParameters(formatParameters(parameters))).toEqual(parameters);
});

test('a last line with fewer than three settings is prompt', () => {
  expect(parseParameters('a dog\ncolour: red, size: big')).toEqual({
    prompt: 'a dog\ncolour: red, size: big',
    negativePrompt: '',
    settings: {},
  });
  expect(parseParameters('')).toEqual({ prompt: '', negativePrompt: '', settings: {} });
});
