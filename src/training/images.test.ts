import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { squareCrop } from './images-crop';
import { resampleRgb } from './images-resample';
import { flipHorizontal, fromPlanarTensor, toPlanarTensor } from './images';

type Fixture = {
  readonly resample: readonly {
    readonly name: string;
    readonly width: number;
    readonly height: number;
    readonly crop: { readonly x: number; readonly y: number; readonly size: number };
    readonly size: number;
    readonly rgba: string;
    readonly rgb: string;
  }[];
  readonly normalize: { readonly size: number; readonly rgb: string; readonly tensor: string };
  readonly denormalize: {
    readonly width: number;
    readonly height: number;
    readonly tensor: string;
    readonly rgb: string;
  };
};

const fixture = JSON.parse(
  readFileSync(new URL('./__fixtures__/images.json', import.meta.url), 'utf8'),
) as Fixture;
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));
const floats = (text: string) => new Float32Array(bytes(text).buffer);

describe('squareCrop', () => {
  test('takes the centred square of landscape, portrait and square photos', () => {
    expect(squareCrop(400, 300)).toEqual({ x: 50, y: 0, size: 300 });
    expect(squareCrop(300, 401)).toEqual({ x: 0, y: 50, size: 300 });
    expect(squareCrop(300, 403)).toEqual({ x: 0, y: 52, size: 300 });
    expect(squareCrop(64, 64)).toEqual({ x: 0, y: 0, size: 64 });
  });

  test('follows the focus and stops at the edges', () => {
    expect(squareCrop(400, 100, { x: 0.5, y: 0.9 })).toEqual({ x: 150, y: 0, size: 100 });
    expect(squareCrop(400, 100, { x: 0.25, y: 0.5 })).toEqual({ x: 50, y: 0, size: 100 });
    expect(squareCrop(400, 100, { x: 0, y: 0 })).toEqual({ x: 0, y: 0, size: 100 });
    expect(squareCrop(100, 400, { x: 1, y: 1 })).toEqual({ x: 0, y: 300, size: 100 });
  });
});

describe('resampleRgb', () => {
  test.each(fixture.resample)('equals Pillow LANCZOS in every byte: $name', (sample) => {
    const result = resampleRgb(bytes(sample.rgba), sample.width, sample.height, sample.crop, sample.size);
    expect([...result]).toEqual([...bytes(sample.rgb)]);
  });

  test('refuses a crop outside the photo and a buffer of the wrong length', () => {
    const rgba = new Uint8ClampedArray(4 * 4 * 4);
    expect(() => resampleRgb(rgba, 4, 4, { x: 1, y: 0, size: 4 }, 2)).toThrow('outside 4 × 4');
    expect(() => resampleRgb(rgba, 4, 5, { x: 0, y: 0, size: 4 }, 2)).toThrow('64 bytes of RGBA');
  });
});

describe('tensors', () => {
  test('toPlanarTensor equals diffusers for all levels', () => {
    const { size, rgb, tensor } = fixture.normalize;
    expect([...toPlanarTensor(bytes(rgb), size)]).toEqual([...floats(tensor)]);
  });

  test('fromPlanarTensor rounds and clips as diffusers does', () => {
    const { width, height, tensor, rgb } = fixture.denormalize;
    const rgba = fromPlanarTensor(floats(tensor), width, height);
    expect([...rgba].filter((_, i) => i % 4 !== 3)).toEqual([...bytes(rgb)]);
    expect([...rgba].filter((_, i) => i % 4 === 3)).toEqual(Array(width * height).fill(255));
  });

  test('levels survive the way to the model and back', () => {
    const { size, rgb } = fixture.normalize;
    const rgba = fromPlanarTensor(toPlanarTensor(bytes(rgb), size), size, size);
    expect([...rgba].filter((_, i) => i % 4 !== 3)).toEqual([...bytes(rgb)]);
  });

  test('flipHorizontal mirrors rows, not columns or channels', () => {
    const tensor = Float32Array.from({ length: 3 * 2 * 3 }, (_, i) => i);
    expect([...flipHorizontal(tensor, 3)]).toEqual([
      2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9, 14, 13, 12, 17, 16, 15,
    ]);
    expect([...flipHorizontal(flipHorizontal(tensor, 3), 3)]).toEqual([...tensor]);
    expect(() => flipHorizontal(tensor, 4)).toThrow('rows of 4');
  });
});
