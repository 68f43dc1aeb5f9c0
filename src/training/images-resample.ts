// Antialiased Lanczos resampling of photos, bit for bit as Pillow's Image.resize(…, LANCZOS) does it on 8-bit pictures:
// two passes, horizontal first, 22-bit fixed-point weights, 8 bits between the passes (Pillow's src/libImaging/Resample.c).
import { assert } from '../base/assert';
import type { SquareCrop } from './images-crop';

const support = 3; // of the Lanczos window, in source pixels before widening
const precision = 2 ** 22;

type Weights = {
  readonly starts: Int32Array; // first source pixel of each target pixel
  readonly counts: Int32Array; // source pixels of each target pixel
  readonly values: Int32Array; // [target, stride], fixed point
  readonly stride: number;
};

/**
 * Cuts `crop` out of a photo and resamples it to `size` × `size`, as `image.crop(box).resize((size, size), LANCZOS)` does.
 * `rgba` holds `width` × `height` pixels, not premultiplied; what is transparent is laid on white first.
 * Returns interleaved RGB, [size, size, 3].
 */
export function resampleRgb(
  rgba: Uint8ClampedArray | Uint8Array,
  width: number,
  height: number,
  crop: SquareCrop,
  size: number,
): Uint8ClampedArray<ArrayBuffer> {
  assert(
    rgba.length === width * height * 4,
    `${rgba.length} bytes of RGBA, expected ${width} × ${height} × 4`,
  );
  assert(
    crop.size > 0 &&
      crop.x >= 0 &&
      crop.y >= 0 &&
      crop.x + crop.size <= width &&
      crop.y + crop.size <= height,
    `crop ${JSON.stringify(crop)} is outside ${width} × ${height}`,
  );
  const source = cropOnWhite(rgba, width, crop);
  if (crop.size === size) return source;
  const weights = lanczosWeights(crop.size, size);
  return resampleColumns(resampleRows(source, crop.size, weights, size), weights, size);
}

/** RGBA → RGB over white, rounded to the nearest level. */
function cropOnWhite(
  rgba: Uint8ClampedArray | Uint8Array,
  width: number,
  crop: SquareCrop,
): Uint8ClampedArray<ArrayBuffer> {
  const rgb = new Uint8ClampedArray(crop.size * crop.size * 3);
  let to = 0;
  for (let y = 0; y < crop.size; y++) {
    let from = ((crop.y + y) * width + crop.x) * 4;
    for (let x = 0; x < crop.size; x++, from += 4, to += 3) {
      const alpha = rgba[from + 3]!;
      for (let channel = 0; channel < 3; channel++) {
        const level = rgba[from + channel]!;
        rgb[to + channel] = alpha === 255 ? level : (level * alpha + 255 * (255 - alpha)) / 255;
      }
    }
  }
  return rgb;
}

/** lanczos3(x) = sinc(x) · sinc(x / 3) inside [-3, 3). */
function lanczos(x: number): number {
  return x >= -support && x < support ? sinc(x) * sinc(x / support) : 0;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function lanczosWeights(sourceSize: number, targetSize: number): Weights {
  const scale = sourceSize / targetSize;
  const widening = Math.max(scale, 1); // antialias: the window covers what one target pixel stands for
  const reach = support * widening;
  const stride = Math.ceil(reach) * 2 + 1;
  const starts = new Int32Array(targetSize);
  const counts = new Int32Array(targetSize);
  const values = new Int32Array(targetSize * stride);
  const row = new Float64Array(stride);
  for (let target = 0; target < targetSize; target++) {
    const center = (target + 0.5) * scale;
    const start = Math.max(Math.trunc(center - reach + 0.5), 0);
    const count = Math.min(Math.trunc(center + reach + 0.5), sourceSize) - start;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      row[i] = lanczos((i + start - center + 0.5) / widening);
      sum += row[i]!;
    }
    for (let i = 0; i < count; i++) {
      const weight = (row[i]! / sum) * precision;
      values[target * stride + i] = Math.trunc(weight + (weight < 0 ? -0.5 : 0.5));
    }
    starts[target] = start;
    counts[target] = count;
  }
  return { starts, counts, values, stride };
}

/** [rows, rows, 3] → [rows, size, 3]. */
function resampleRows(
  source: Uint8ClampedArray,
  rows: number,
  { starts, counts, values, stride }: Weights,
  size: number,
): Uint8ClampedArray {
  const result = new Uint8ClampedArray(rows * size * 3);
  let to = 0;
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < size; x++, to += 3) {
      const count = counts[x]!;
      let from = (y * rows + starts[x]!) * 3;
      let [red, green, blue] = [0, 0, 0];
      for (let i = 0; i < count; i++, from += 3) {
        const weight = values[x * stride + i]!;
        red += weight * source[from]!;
        green += weight * source[from + 1]!;
        blue += weight * source[from + 2]!;
      }
      result[to] = toLevel(red);
      result[to + 1] = toLevel(green);
      result[to + 2] = toLevel(blue);
    }
  }
  return result;
}

/** [rows, size, 3] → [size, size, 3]. */
function resampleColumns(
  source: Uint8ClampedArray,
  { starts, counts, values, stride }: Weights,
  size: number,
): Uint8ClampedArray<ArrayBuffer> {
  const rowLength = size * 3;
  const result = new Uint8ClampedArray(size * rowLength);
  const sums = new Float64Array(rowLength);
  for (let y = 0; y < size; y++) {
    sums.fill(0);
    for (let i = 0; i < counts[y]!; i++) {
      const weight = values[y * stride + i]!;
      const from = (starts[y]! + i) * rowLength;
      for (let x = 0; x < rowLength; x++) sums[x]! += weight * source[from + x]!;
    }
    for (let x = 0; x < rowLength; x++) result[y * rowLength + x] = toLevel(sums[x]!);
  }
  return result;
}

/** Fixed point to a level, half up; the clamped array does the clipping. */
function toLevel(sum: number): number {
  return Math.floor(sum / precision + 0.5);
}
