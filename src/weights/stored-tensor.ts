// A tensor that lies in a file: what it is, and a way to read its bytes when they are needed. Nothing here knows the file's format.
import { assert } from '../base/assert';
import { AppError } from '../base/errors';
import { bfloat16ToFloat, halfToFloat } from '../base/float16';
import { dtypeSizes, type Dtype } from './safetensors-header';

export type StoredTensor = {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Bytes `begin` to `end` of the tensor (all by default; whole elements), row-major, little-endian, in a buffer of their own (so that any typed array fits on it). */
  readonly read: (begin?: number, end?: number) => Promise<Uint8Array<ArrayBuffer>>;
};

/** Elements of a shape. */
export const countOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** Bytes of a tensor. */
export const bytesOf = ({ dtype, shape }: Pick<StoredTensor, 'dtype' | 'shape'>): number =>
  countOf(shape) * dtypeSizes[dtype];

/** The tensor whose bytes are a range of the blob that `open` answers. */
export const tensorInBlob = (
  open: () => Promise<Blob>,
  { dtype, shape, begin }: Pick<StoredTensor, 'dtype' | 'shape'> & { readonly begin: number },
): StoredTensor => ({
  dtype,
  shape,
  read: async (from = 0, to = bytesOf({ dtype, shape })) =>
    new Uint8Array(await (await open()).slice(begin + from, begin + to).arrayBuffer()),
});

/** Elements `first` and on of `tensor`, seen as `shape`: rows of a matrix, or the same numbers under another shape. Copies nothing. */
export function viewOf(tensor: StoredTensor, first: number, shape: readonly number[]): StoredTensor {
  const { dtype } = tensor;
  const size = bytesOf({ dtype, shape });
  const start = first * dtypeSizes[dtype];
  assert(start + size <= bytesOf(tensor), 'a view reaches past its tensor');
  return { dtype, shape, read: (from = 0, to = size) => tensor.read(start + from, start + to) };
}

/** Elements `first` to `last` (all by default) of a float tensor (F32, F16, BF16, F64) as float32. Throws AppError('bad-file') for whole numbers. */
export async function readFloats(
  tensor: StoredTensor,
  name: string,
  fileName: string,
  first = 0,
  last = countOf(tensor.shape),
): Promise<Float32Array<ArrayBuffer>> {
  const size = dtypeSizes[tensor.dtype];
  const { buffer } = await tensor.read(first * size, last * size);
  switch (tensor.dtype) {
    case 'F32':
      return new Float32Array(buffer);
    case 'F16':
      return halfToFloat(new Uint16Array(buffer));
    case 'BF16':
      return bfloat16ToFloat(new Uint16Array(buffer));
    case 'F64':
      return Float32Array.from(new Float64Array(buffer));
    default:
      throw new AppError('bad-file', {
        file: fileName,
        reason: `"${name}" holds ${tensor.dtype} numbers, which this page cannot use as weights`,
      });
  }
}
