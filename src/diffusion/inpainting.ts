// Inpainting with a UNet of four channels, on the CPU: the reference for the graphs that do the same on a device. The loop that uses it is
// sample.ts; diffusers' is StableDiffusionInpaintPipeline.
import { assert } from '../base/assert';

/** kept + mask · (drawn − kept) of [count, channels, h, w], the mask being [count, 1, h, w]: 1 where is drawn. */
export function blendByMask(
  mask: Float32Array,
  drawn: Float32Array,
  kept: Float32Array,
  [count, channels, height, width]: readonly [number, number, number, number],
): Float32Array<ArrayBuffer> {
  const area = height * width;
  assert(
    mask.length === count * area,
    `a mask of ${mask.length} values for ${count} of ${width} × ${height}`,
  );
  assert(drawn.length === kept.length && drawn.length === count * channels * area, 'latents of one shape');
  return Float32Array.from(drawn, (value, i) => {
    const item = Math.floor(i / (channels * area));
    return kept[i]! + mask[item * area + (i % area)]! * (value - kept[i]!);
  });
}

/**
 * A painted mask [height, width] of levels from 0 to 1, as latents see it: 1 from the middle level on, and of each `scale` × `scale`
 * pixels the first one (torch's nearest).
 */
export function shrinkMask(
  mask: Float32Array,
  height: number,
  width: number,
  scale: number,
): Float32Array<ArrayBuffer> {
  assert(mask.length === height * width, `${mask.length} values are not ${width} × ${height}`);
  assert(height % scale === 0 && width % scale === 0, `${width} × ${height} is no multiple of ${scale}`);
  const [rows, columns] = [height / scale, width / scale];
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return mask[row * scale * width + column * scale]! >= 0.5 ? 1 : 0;
  });
}
