// Weights that are drawn by their names, the same in Python (tools/oracle/common.py) and here, so that no fixture holds any.
// For tests only.
import { crc32 } from '../../base/crc32';
import { torchRandn } from '../../base/random';
import { sizeOf, type Shape } from '../../onnx/graph';

/** Float32 values, or float16 bit patterns, of a model's parameter by its name ("unet.conv_in.weight"). */
export type Weights = (name: string, shape: Shape) => Float32Array | Uint16Array | Uint8Array;

/** The normals that belong to a name. */
export const randn = (name: string, shape: Shape): Float32Array<ArrayBuffer> =>
  torchRandn(crc32(new TextEncoder().encode(name)), sizeOf(shape));

/** The weight that belongs to a name: gains about 1, small biases, and what keeps activations of one size. */
export function seeded(name: string, shape: Shape): Float32Array<ArrayBuffer> {
  const r = randn(name, shape);
  if (shape.length === 1) return r.map((x) => (name.endsWith('.weight') ? 1 + 0.1 * x : 0.05 * x));
  if (shape.length === 2 && /token_embedding|position_embedding/.test(name)) return r.map((x) => 0.3 * x);
  const scale = Math.sqrt(sizeOf(shape) / shape[0]!);
  return r.map((x) => x / scale);
}

/** Seeded weights of a whole pipeline; the name that counts is without the component. */
export const seededWeights: Weights = (name, shape) => seeded(name.slice(name.indexOf('.') + 1), shape);
