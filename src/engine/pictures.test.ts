import { beforeAll, describe, expect, test } from 'vitest';
import { flipHorizontal } from '../training/images';
import { decodeLatents, encodePicture } from './pictures';
import { Pipeline } from './pipeline';
import { encodePrompt } from './prompts';
import { bundledModel, openNodeRuntime } from './testing/bundled';

const size = 64;
let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = new Pipeline(openNodeRuntime(), await bundledModel());
});

/** A soft red disc left of the middle on a blue slope, [3, 64, 64] in [-1, 1]. */
const picture = Float32Array.from({ length: 3 * size * size }, (_, i) => {
  const [channel, y, x] = [Math.floor(i / size ** 2), Math.floor(i / size) % size, i % size];
  const inside = 1 / (1 + Math.exp(Math.hypot(x - 22, y - 32) - 14));
  const color = [0.8, -0.6, -0.6][channel]! * inside;
  return color + (1 - inside) * (channel === 2 ? y / size : -0.3);
});

async function roundTrip(latents: Float32Array<ArrayBuffer>) {
  const tensor = pipeline.runtime.upload('test', 'float32', [1, 4, 16, 16], latents);
  const decoded = await decodeLatents(pipeline, tensor);
  tensor.dispose();
  return decoded;
}

describe('a picture', () => {
  test('comes back from the latent space as it was, nearly', async () => {
    const { mean, deviation } = await encodePicture(pipeline, picture, size);
    expect(mean).toHaveLength(4 * 16 * 16);
    expect(deviation).toBeUndefined(); // AutoencoderTiny has none
    const { rgba, width, height } = await roundTrip(Float32Array.from(mean));
    expect([width, height, rgba.length]).toEqual([64, 64, 4 * 64 * 64]);
    let error = 0;
    for (let i = 0; i < size * size; i++) {
      expect(rgba[4 * i + 3]).toBe(255);
      for (let channel = 0; channel < 3; channel++)
        error += (rgba[4 * i + channel]! / 127.5 - 1 - picture[channel * size ** 2 + i]!) ** 2;
    }
    expect(Math.sqrt(error / (3 * size * size))).toBeLessThan(0.08);
  });

  test('and its mirror image have latents of their own', async () => {
    const plain = await encodePicture(pipeline, picture, size);
    const mirrored = await encodePicture(pipeline, flipHorizontal(picture, size), size);
    const back = flipHorizontal(mirrored.mean, 16);
    const distance = (a: Float32Array, b: Float32Array) => Math.hypot(...a.map((x, i) => x - b[i]!));
    expect(distance(mirrored.mean, plain.mean)).toBeGreaterThan(2.5 * distance(back, plain.mean));
  });
});

test('prompts have hidden states of their own, of the model’s length, the same every time', async () => {
  const ball = await encodePrompt(pipeline, 'a red ball');
  expect(ball).toHaveLength(32 * 128);
  expect(await encodePrompt(pipeline, 'a red ball')).toEqual(ball);
  const car = await encodePrompt(pipeline, 'a red car');
  expect(car.subarray(0, 3 * 128)).toEqual(ball.subarray(0, 3 * 128)); // start, "a", "red": the attention is causal
  expect(car.subarray(3 * 128, 4 * 128)).not.toEqual(ball.subarray(3 * 128, 4 * 128));
});
