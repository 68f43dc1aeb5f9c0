// Classifier-free guidance on the CPU: the reference for the graphs that do the same on a device.
import { assert } from '../base/assert';

/** Ho and Salimans 2022: unconditional + scale · (conditional − unconditional), element by element. */
export function combineGuidance(
  unconditional: Float32Array,
  conditional: Float32Array,
  scale: number,
): Float32Array<ArrayBuffer> {
  assert(unconditional.length === conditional.length, 'guidance needs two predictions of one length');
  const guided = new Float32Array(conditional.length);
  for (let i = 0; i < guided.length; i++) {
    guided[i] = unconditional[i]! + scale * (conditional[i]! - unconditional[i]!);
  }
  return guided;
}

/**
 * Lin et al. 2023, section 3.4 (diffusers' rescale_noise_cfg): brings the deviation of each of `count` items of the guided prediction
 * [count, ...] back to that of the conditional one, mixed in by `rescale` (0 = not at all, 0.7 is the paper's).
 */
export function rescaleGuidance(
  guided: Float32Array,
  conditional: Float32Array,
  count: number,
  rescale: number,
): Float32Array<ArrayBuffer> {
  assert(guided.length === conditional.length, 'guidance needs two predictions of one length');
  assert(guided.length % count === 0, `${guided.length} values are not ${count} items`);
  const size = guided.length / count;
  const rescaled = new Float32Array(guided.length);
  for (let start = 0; start < guided.length; start += size) {
    const item = guided.subarray(start, start + size);
    const ratio = deviation(conditional.subarray(start, start + size)) / deviation(item);
    const factor = rescale * ratio + (1 - rescale);
    for (let i = 0; i < size; i++) rescaled[start + i] = item[i]! * factor;
  }
  return rescaled;
}

// Sample standard deviation, n − 1 (torch.std).
function deviation(values: Float32Array): number {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1));
}
