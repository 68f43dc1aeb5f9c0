import { expect, test } from 'vitest';
import { createTorchGenerator, torchRandn } from '../base/random';
import { createLatentNoise, initialNoise } from './latent-noise';

test('a picture has the same noise alone and in any batch', () => {
  const draw = createLatentNoise([5, 6], [4, 3, 3]);
  const first = draw();
  expect(first.subarray(36)).toEqual(initialNoise(5, 1, [4, 3, 3]));
  const alone = createLatentNoise([6], [4, 3, 3]);
  expect(alone()).toEqual(first.subarray(36));
  expect(alone()).toEqual(draw().subarray(36)); // step noise goes on in each generator
});

test('each picture is one randn of its own generator', () => {
  expect(initialNoise(40, 2, [4, 2, 2])).toEqual(torchRandn(42, 16));
  const generator = createTorchGenerator(9);
  const draw = createLatentNoise([9], [4, 2, 2]);
  expect([draw(), draw()]).toEqual([generator.randn(16), generator.randn(16)]);
});
