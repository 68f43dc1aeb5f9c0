// The oracle's fixtures: what PyTorch, diffusers, transformers and peft gave (tools/oracle/README.md says how they are written).
// For tests only.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tensor, type Tensor } from '../../onnx/testing/tensor';
import { randn } from './seeded-weights';

/** A float array: little-endian float32 in base64, or the name of seeded normals. */
export type Floats = { readonly shape: readonly number[] } & (
  { readonly data: string } | { readonly name: string }
);

/** Which weights a fixture was made with. */
export type WeightsNote = 'seeded' | { readonly file: string; readonly sha256: string };

/** The adapted layers of a fixture, in the flat order, with the shapes of A and B. */
export type LoraNote = {
  readonly rank: number;
  readonly alpha: number;
  readonly modules: readonly {
    readonly module: string;
    readonly down: readonly number[];
    readonly up: readonly number[];
  }[];
};

/** __fixtures__/<name>.json beside the test that asks (`folder` is its import.meta.dirname). */
export const readFixture = <T>(folder: string, name: string): T =>
  JSON.parse(readFileSync(join(folder, '__fixtures__', `${name}.json`), 'utf8')) as T;

/** The numbers of a fixture's array. */
export function floats(entry: Floats): Tensor {
  if ('name' in entry) return tensor(entry.shape, randn(entry.name, entry.shape));
  const bytes = Uint8Array.from(Buffer.from(entry.data, 'base64'));
  return tensor(entry.shape, new Float32Array(bytes.buffer));
}
