// A model in one file, made by putting every weight in its place. For tests only.
import { assert } from '../../base/assert';
import { crc32 } from '../../base/crc32';
import type { Value } from '../../onnx/graph';
import { ldmPlace, type LdmLayout } from '../ldm-names';
import type { TensorToWrite } from '../safetensors';
import { countOf } from '../stored-tensor';

/** The weight that belongs to a name, as tools/oracle/single_file.py has it: element i is (CRC-32 of the name without component + i) mod 2^24. */
export function numbered(name: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const first = crc32(new TextEncoder().encode(name.slice(name.indexOf('.') + 1)));
  return Float32Array.from({ length: countOf(shape) }, (_, i) => (first + i) % 2 ** 24);
}

/** The tensors of the file, in float32. Throws where two weights want the same numbers, or nobody wants some. */
export function singleFileTensors(parameters: readonly Value[], layout: LdmLayout): TensorToWrite[] {
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array<ArrayBuffer> }>();
  for (const { name, shape } of parameters) {
    const place = ldmPlace(name, shape, layout);
    const data = tensors.get(place.name)?.data ?? new Float32Array(countOf(place.shape)).fill(NaN);
    const begin = place.firstRow * countOf(shape.slice(1));
    const isFree = data.subarray(begin, begin + countOf(shape)).every(Number.isNaN);
    assert(isFree, `two weights lie in ${place.name}`);
    data.set(numbered(name, shape), begin);
    tensors.set(place.name, { shape: place.shape, data });
  }
  return [...tensors].map(([name, { shape, data }]) => {
    assert(!data.some(Number.isNaN), `${name} has a gap`);
    return { name, dtype: 'F32', shape, data };
  });
}
