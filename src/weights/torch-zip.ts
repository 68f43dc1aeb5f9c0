// PyTorch's own files (.ckpt, .bin, .pt): a zip archive with a pickle that describes the tensors and one stored entry for each storage.
// The pickle is read by a reader that runs nothing; only the bytes of a tensor that is asked for are read. Format: torch/serialization.py.
import { AppError } from '../base/errors';
import { Opaque, PickleError, readPickle, type PickleValue } from './pickle';
import { dtypeSizes, type Dtype } from './safetensors-header';
import { bytesOf, countOf, tensorInBlob, type StoredTensor } from './stored-tensor';
import { readZipDirectory, type ZipEntry } from './zip-directory';

export type TorchFile = {
  /** The tensors of the state dict: the file's "state_dict" where it has one, else all that it holds. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Training step that the file says it was saved at. */
  readonly globalStep: number | undefined;
};

const maxPickleBytes = 64 * 2 ** 20; // a checkpoint with optimizer has about 1 MB

const storageTypes: Readonly<Record<string, Dtype>> = {
  'torch.FloatStorage': 'F32',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.DoubleStorage': 'F64',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
};

/**
 * What checkpoints of Stable Diffusion carry besides weights (trainer state, NumPy scalars). These are names of data: the objects
 * are passed over, never made.
 */
const passedOver = new Set([
  'torch.Size',
  'torch.device',
  'torch.float16',
  'torch.float32',
  'torch.float64',
  'torch.bfloat16',
  'torch.int64',
  'torch.nn.modules.container.ParameterDict',
  'numpy.core.multiarray.scalar',
  'numpy.core.multiarray._reconstruct',
  'numpy._core.multiarray.scalar',
  'numpy._core.multiarray._reconstruct',
  'numpy.dtype',
  'numpy.ndarray',
  '_codecs.encode',
  '__builtin__.set',
  'builtins.set',
  'collections.defaultdict',
  'pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint',
]);

type Storage = { readonly dtype: Dtype; readonly entry: ZipEntry };

/** Opens a PyTorch file; no tensor is read now. Throws AppError('bad-file', { file, reason }), also for a pickle that wants something run. */
export async function openTorchFile(blob: Blob, fileName: string): Promise<TorchFile> {
  const entries = await readZipDirectory(blob, fileName);
  try {
    return await openArchive(entries);
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    throw new AppError('bad-file', { file: fileName, reason: error.message }, error);
  }
}

async function openArchive(entries: ReadonlyMap<string, ZipEntry>): Promise<TorchFile> {
  const read = async ({ content }: ZipEntry) => new Uint8Array(await (await content()).arrayBuffer());
  const path = [...entries.keys()].find((name) => /^[^/]*\/data\.pkl$/.test(name));
  if (path === undefined) throw new PickleError('it is a zip archive, but not one that PyTorch saved');
  const folder = path.slice(0, -'data.pkl'.length);
  const order = entries.get(`${folder}byteorder`);
  if (order && new TextDecoder().decode(await read(order)) !== 'little')
    throw new PickleError('its numbers are big-endian');
  const pickle = entries.get(path)!;
  if (pickle.sizeBytes > maxPickleBytes) throw new PickleError('its pickle is too large');

  const root = readPickle(await read(pickle), {
    findGlobal,
    findPersistent: (id) =>
      new Opaque(
        'storage',
        findStorage(id, (key) => entries.get(`${folder}data/${key}`)),
      ),
    call,
  });
  if (!(root instanceof Map)) throw new PickleError('it holds no table of tensors');
  const table = root as ReadonlyMap<PickleValue, PickleValue>;
  const inner = table.get('state_dict');
  const step = table.get('global_step');
  return {
    tensors: tensorsOf(inner instanceof Map ? inner : table),
    globalStep: typeof step === 'number' ? step : undefined,
  };
}

function tensorsOf(table: ReadonlyMap<PickleValue, PickleValue>): ReadonlyMap<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, value] of table)
    if (typeof name === 'string' && value instanceof Opaque && value.name === 'tensor')
      tensors.set(name, value.content as StoredTensor);
  return tensors;
}

function findGlobal(module: string, name: string): PickleValue {
  const path = `${module}.${name}`;
  const isKnown = calls.has(path) || Object.hasOwn(storageTypes, path) || passedOver.has(path);
  if (!isKnown)
    throw new PickleError(`it wants "${path}" to be run, which weights do not need; nothing was run`);
  return new Opaque(path);
}

/** id = ("storage", type, key, location, element count) */
function findStorage(id: PickleValue, find: (key: string) => ZipEntry | undefined): Storage {
  const [kind, type, key, , count] = Array.isArray(id) ? (id as readonly PickleValue[]) : [];
  const dtype =
    type instanceof Opaque && Object.hasOwn(storageTypes, type.name) ? storageTypes[type.name] : undefined;
  if (kind !== 'storage' || dtype === undefined || typeof key !== 'string' || typeof count !== 'number')
    throw new PickleError('a storage in its pickle is damaged');
  const entry = find(key);
  if (!entry) throw new PickleError(`the data of storage ${key} is missing`);
  const bytes = count * dtypeSizes[dtype];
  if (bytes !== entry.sizeBytes)
    throw new PickleError(`storage ${key} should take ${bytes} bytes and takes ${entry.sizeBytes}`);
  return { dtype, entry };
}

type Call = (parameters: readonly PickleValue[]) => PickleValue;

/** The functions that a file of weights needs. */
const calls: ReadonlyMap<string, Call> = new Map<string, Call>([
  ['collections.OrderedDict', () => new Map()],
  ['torch._utils._rebuild_tensor_v2', (parameters) => new Opaque('tensor', rebuildTensor(parameters))],
  ['torch._utils._rebuild_parameter', ([tensor = null]) => tensor],
]);

function call(callable: PickleValue, parameters: readonly PickleValue[]): PickleValue {
  if (!(callable instanceof Opaque)) throw new PickleError('its pickle is damaged');
  return calls.get(callable.name)?.(parameters) ?? new Opaque(callable.name);
}

const isCounts = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);

/** parameters = (storage, offset, size, stride, …), all counted in elements */
function rebuildTensor(parameters: readonly PickleValue[]): StoredTensor {
  const [storage, offset, shape, strides] = parameters;
  if (!(storage instanceof Opaque) || storage.name !== 'storage' || !isCounts([offset]) || !isCounts(shape))
    throw new PickleError('a tensor in its pickle is damaged');
  if (!isCounts(strides) || strides.length !== shape.length)
    throw new PickleError('a tensor in its pickle is damaged');
  const { dtype, entry } = storage.content as Storage;
  const size = dtypeSizes[dtype];
  const begin = (offset as number) * size;
  const isEmpty = countOf(shape) === 0;
  const span = isEmpty ? 0 : 1 + shape.reduce((sum, n, axis) => sum + (n - 1) * strides[axis]!, 0);
  if (begin + span * size > entry.sizeBytes)
    throw new PickleError('a tensor in its pickle reaches past its storage');
  if (countOf(shape) > span)
    throw new PickleError('a tensor in its pickle repeats the numbers of its storage');
  if (span === countOf(shape) && isRowMajor(shape, strides))
    return tensorInBlob(entry.content, { dtype, shape, begin });
  return gathered(tensorInBlob(entry.content, { dtype, shape: [span], begin }), shape, strides);
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/**
 * A tensor whose elements are not in row-major order: a transposed matrix, channels last. They are put in order when they are read, and
 * of the storage only what lies between the first and the last of them is.
 */
function gathered(source: StoredTensor, shape: readonly number[], strides: readonly number[]): StoredTensor {
  const { dtype } = source;
  const size = dtypeSizes[dtype];
  const read = async (begin = 0, end = bytesOf({ dtype, shape })) => {
    const places = placesOf(shape, strides, begin / size, end / size);
    const least = places.reduce((a, b) => Math.min(a, b), Infinity);
    const most = places.reduce((a, b) => Math.max(a, b), 0);
    if (places.length === 0) return new Uint8Array(0);
    const to = new Uint8Array(end - begin);
    const from = await source.read(least * size, (most + 1) * size);
    places.forEach((place, i) => {
      for (let k = 0; k < size; k++) to[i * size + k] = from[(place - least) * size + k]!;
    });
    return to;
  };
  return { dtype, shape, read };
}

/** Where the elements `first` to `last` in row-major order lie, counted in elements. */
function placesOf(
  shape: readonly number[],
  strides: readonly number[],
  first: number,
  last: number,
): Uint32Array {
  const places = new Uint32Array(last - first);
  const index = shape.map((n, axis) => Math.floor(first / countOf(shape.slice(axis + 1))) % n);
  let place = index.reduce((sum, n, axis) => sum + n * strides[axis]!, 0);
  for (let i = 0; i < places.length; i++) {
    places[i] = place;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      place -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return places;
}
