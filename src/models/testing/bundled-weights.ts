// The bundled model's configs and weights, straight from public/. For tests only: the app reads them by weights/safetensors.ts.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { halfToFloat } from '../../base/float16';
import type { Weights } from './seeded-weights';

const folder = join(import.meta.dirname, '../../../public/models/bundled');

type Header = Readonly<Record<string, { readonly dtype: string; readonly data_offsets: [number, number] }>>;

/** A parsed JSON file of the bundled model. */
export const bundledJson = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'));

/**
 * The float16 weights of one component ("unet/diffusion_pytorch_model.safetensors"), as float32 or as they are. Throws when they are
 * not those that the fixture was made with.
 */
export function bundledWeights(
  { file, sha256 }: { readonly file: string; readonly sha256: string },
  options: { readonly keepHalf?: boolean } = {},
): Weights {
  const bytes = Uint8Array.from(readFileSync(join(folder, file)));
  if (createHash('sha256').update(bytes).digest('hex') !== sha256)
    throw new Error(`${file} is not the file that the fixture was made with: run its script again`);
  const headerSize = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerSize))) as Header;
  return (name) => {
    const entry = header[name.slice(name.indexOf('.') + 1)];
    if (entry?.dtype !== 'F16') throw new Error(`${file} has ${entry ? entry.dtype : 'no'} ${name}`);
    const [start, end] = entry.data_offsets.map((offset) => 8 + headerSize + offset);
    const halves = new Uint16Array(bytes.buffer.slice(start, end));
    return options.keepHalf ? halves : halfToFloat(halves);
  };
}
