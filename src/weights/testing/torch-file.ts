// PyTorch archives made by hand: pickles as text, one character a byte, so that they can say what torch.save never would. For tests only.
import type { TensorToWrite } from '../safetensors';
import { countOf } from '../stored-tensor';
import { makeZip } from './zip';

const uint32 = (n: number) => String.fromCharCode(n & 255, (n >> 8) & 255, (n >> 16) & 255, (n >>> 24) & 255);

export const text = (value: string) => `X${uint32(value.length)}${value}`;
export const tuple = (...items: readonly string[]) => `(${items.join('')}t`;
const whole = (n: number) => `J${uint32(n)}`;

/** The persistent id of `count` elements under `key`. */
export const storage = (count = 4, key = '0', type = 'FloatStorage') =>
  `${tuple(text('storage'), `ctorch\n${type}\n`, text(key), text('cpu'), whole(count))}Q`;

/** A call of _rebuild_tensor_v2. */
export const tensor = (
  shape: readonly number[],
  strides: readonly number[],
  offset = 0,
  from = storage(),
): string =>
  `ctorch._utils\n_rebuild_tensor_v2\n${tuple(from, whole(offset), tuple(...shape.map(whole)), tuple(...strides.map(whole)), '\x89', ')')}R`;

/** A pickle of {"w": value}. */
export const dictionary = (value: string) => `\x80\x02}${text('w')}${value}s.`;

/** Those of a tensor in row-major order, in elements. */
const stridesOf = (shape: readonly number[]) => shape.map((_, axis) => countOf(shape.slice(axis + 1)));

const bytesOf = (pickle: string) => Uint8Array.from(pickle, (char) => char.charCodeAt(0));

/** A PyTorch archive around a pickle; 4 floats lie under the key 0, and "big" in each of the other paths. */
export const archive = (pickle: string, others: readonly string[] = []): Blob =>
  makeZip([
    { path: 'archive/data.pkl', content: bytesOf(pickle) },
    { path: 'archive/data/0', content: new Uint8Array(16) },
    ...others.map((path) => ({ path, content: new TextEncoder().encode('big') })),
  ]);

/** A checkpoint {"state_dict": {…}} of float32 tensors, each in a storage of its own. */
export function checkpoint(tensors: readonly TensorToWrite[]): Blob {
  const items = tensors.map(({ name, shape, data }, i) => {
    return `${text(name)}${tensor(shape, stridesOf(shape), 0, storage(data.byteLength / 4, String(i)))}`;
  });
  const contents = tensors.map(({ data }, i) => ({
    path: `archive/data/${i}`,
    content: Uint8Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  }));
  const pickle = `\x80\x02}${text('state_dict')}}(${items.join('')}us.`;
  return makeZip([{ path: 'archive/data.pkl', content: bytesOf(pickle) }, ...contents]);
}

/** A state dict of half precision zeros whose tensors all lie in one storage, as large as the largest: real shapes in a small file. */
export function tiedCheckpoint(shapes: ReadonlyMap<string, readonly number[]>): Blob {
  const count = Math.max(...[...shapes.values()].map(countOf));
  const items = [...shapes].map(
    ([name, shape]) =>
      `${text(name)}${tensor(shape, stridesOf(shape), 0, storage(count, '0', 'HalfStorage'))}`,
  );
  return makeZip([
    { path: 'archive/data.pkl', content: bytesOf(`\x80\x02}(${items.join('')}u.`) },
    { path: 'archive/data/0', content: new Uint8Array(2 * count) },
  ]);
}
