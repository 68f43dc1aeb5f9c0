// Pictures as the model reads and writes them: planar float tensors [3, height, width] in [-1, 1], as diffusers'
// VaeImageProcessor and torchvision's ToTensor + Normalize([0.5], [0.5]) make them. No DOM here.
import { assert } from '../base/assert';

/** Interleaved RGB levels [size, size, 3] → planar [3, size, size] in [-1, 1]. */
export function toPlanarTensor(rgb: Uint8ClampedArray | Uint8Array, size: number): Float32Array<ArrayBuffer> {
  const plane = size * size;
  assert(rgb.length === plane * 3, `${rgb.length} bytes of RGB, expected ${size} × ${size} × 3`);
  const tensor = new Float32Array(plane * 3);
  for (let pixel = 0; pixel < plane; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      tensor[channel * plane + pixel] = (Math.fround(rgb[pixel * 3 + channel]! / 255) - 0.5) / 0.5;
    }
  }
  return tensor;
}

/** Interleaved RGBA levels, opaque, [height, width, 4] → planar [3, height, width] in [-1, 1]. */
export function planarFromRgba(rgba: Uint8ClampedArray): Float32Array<ArrayBuffer> {
  const plane = rgba.length / 4;
  return Float32Array.from({ length: plane * 3 }, (_, i) => {
    const level = rgba[(i % plane) * 4 + Math.floor(i / plane)]!;
    return (Math.fround(level / 255) - 0.5) / 0.5;
  });
}

/** Mirrors every row of a planar tensor [..., width], left to right, into a new one. */
export function flipHorizontal(tensor: Float32Array, width: number): Float32Array<ArrayBuffer> {
  assert(
    width > 0 && tensor.length % width === 0,
    `a tensor of ${tensor.length} has no rows of ${width} pixels`,
  );
  const flipped = new Float32Array(tensor.length);
  for (let row = 0; row < tensor.length; row += width) {
    for (let x = 0; x < width; x++) flipped[row + x] = tensor[row + width - 1 - x]!;
  }
  return flipped;
}

/** Planar [3, height, width] in [-1, 1] → opaque interleaved RGBA levels, rounded and clipped as diffusers does. */
export function fromPlanarTensor(
  tensor: Float32Array,
  width: number,
  height: number,
): Uint8ClampedArray<ArrayBuffer> {
  const plane = width * height;
  assert(tensor.length === plane * 3, `a tensor of ${tensor.length}, expected 3 × ${height} × ${width}`);
  const rgba = new Uint8ClampedArray(plane * 4); // rounds half to even and clips, like numpy's round and clip
  for (let pixel = 0; pixel < plane; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      const light = Math.fround(tensor[channel * plane + pixel]! / 2 + 0.5); // float32 steps, as torch
      rgba[pixel * 4 + channel] = Math.fround(light * 255);
    }
    rgba[pixel * 4 + 3] = 255;
  }
  return rgba;
}
