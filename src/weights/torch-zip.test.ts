// Files by torch.save (tools/oracle/torch_files.py), and pickles made by hand that ask for what must not be.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readFloats } from './stored-tensor';
import { archive, dictionary, storage, tensor, text, tuple } from './testing/torch-file';
import { makeZip } from './testing/zip';
import { openTorchFile } from './torch-zip';
import { openWeightsFile } from './weights-file';
import reference from './__fixtures__/reference.json';
import fixture from './__fixtures__/torch-tensors.json';

const read = (name: string) => new Blob([readFileSync(new URL(`./__fixtures__/${name}`, import.meta.url))]);
const dtypes = {
  'torch.float32': 'F32',
  'torch.float16': 'F16',
  'torch.bfloat16': 'BF16',
  'torch.float64': 'F64',
  'torch.int64': 'I64',
};

describe.each([
  ['torch-checkpoint.ckpt', 875000],
  ['torch-protocol4.bin', undefined],
])('%s, by torch.save', (name, globalStep) => {
  test('gives every tensor of the state dict and the training step', async () => {
    const file = await openTorchFile(read(name), name);
    expect(file.globalStep).toBe(globalStep);
    expect([...file.tensors.keys()]).toEqual(Object.keys(fixture.tensors));
    for (const [key, expected] of Object.entries(fixture.tensors)) {
      const tensor = file.tensors.get(key)!;
      expect([key, tensor.dtype, tensor.shape]).toEqual([
        key,
        dtypes[expected.dtype as keyof typeof dtypes],
        expected.shape,
      ]);
      const values =
        tensor.dtype === 'I64'
          ? [...new BigInt64Array((await tensor.read()).buffer)].map(Number)
          : [...(await readFloats(tensor, key, name))];
      expect(values).toEqual(expected.values.map((x) => (tensor.dtype === 'I64' ? x : Math.fround(x))));
    }
  });

  test('gives parts of a tensor', async () => {
    const { tensors } = await openTorchFile(read(name), name);
    for (const key of ['rows', 'columns', 'transposed']) {
      const whole = await tensors.get(key)!.read();
      expect([key, ...(await tensors.get(key)!.read(8, 20))]).toEqual([key, ...whole.slice(8, 20)]);
    }
  });
});

describe('a pickle made by hand', () => {
  test('is read where it is good', async () => {
    const { tensors } = await openTorchFile(archive(dictionary(tensor([2, 2], [2, 1]))), 'f');
    expect([...(await readFloats(tensors.get('w')!, 'w', 'f'))]).toEqual([0, 0, 0, 0]);
  });

  test.each<[string, string, string]>([
    [
      'os.system',
      dictionary(`cos\nsystem\n${tuple(text('exit 1'))}R`),
      'it wants "os.system" to be run, which weights do not need; nothing was run',
    ],
    [
      'eval by STACK_GLOBAL',
      dictionary(`${text('builtins')}${text('eval')}\x93${tuple(text('1'))}R`),
      'it wants "builtins.eval" to be run, which weights do not need; nothing was run',
    ],
    [
      'a class that is only named',
      dictionary('csubprocess\nPopen\n'),
      'it wants "subprocess.Popen" to be run, which weights do not need; nothing was run',
    ],
    [
      'a name that every object has',
      dictionary(`c__proto__\nconstructor\n`),
      'it wants "__proto__.constructor" to be run, which weights do not need; nothing was run',
    ],
    ['INST, of protocol 0', dictionary('(ios\nsystem\n'), 'its pickle holds the unknown instruction 0x69'],
    ['a newer protocol', '\x80\x05}.', 'it is a pickle of a newer protocol'],
    ['no table', '\x80\x02K\x01.', 'it holds no table of tensors'],
    ['an end in the middle', '\x80\x02}X\xff\xff\xff\x7fabc', 'its pickle is cut short'],
    ['an empty stack', '\x80\x02s.', 'its pickle is damaged'],
    ['a mark that is not there', '\x80\x02u.', 'its pickle is damaged'],
    ['a memo that is not there', '\x80\x02h\x07.', 'its pickle is damaged'],
    [
      'a storage that is not there',
      dictionary(tensor([4], [1], 0, storage(4, '7'))),
      'the data of storage 7 is missing',
    ],
    [
      'a path in place of a key',
      dictionary(tensor([4], [1], 0, storage(4, '../data.pkl'))),
      'the data of storage ../data.pkl is missing',
    ],
    [
      'a storage of another size',
      dictionary(tensor([4], [1], 0, storage(5))),
      'storage 0 should take 20 bytes and takes 16',
    ],
    [
      'a storage of unknown numbers',
      dictionary(tensor([4], [1], 0, storage(4, '0', '_utils._rebuild_tensor_v2'))),
      'a storage in its pickle is damaged',
    ],
    [
      'an offset past the end',
      dictionary(tensor([4], [1], 1)),
      'a tensor in its pickle reaches past its storage',
    ],
    [
      'strides past the end',
      dictionary(tensor([2, 2], [3, 1])),
      'a tensor in its pickle reaches past its storage',
    ],
    [
      'a shape that says more than is there',
      dictionary(tensor([255, 255], [0, 0])),
      'a tensor in its pickle repeats the numbers of its storage',
    ],
    ['too few strides', dictionary(tensor([2, 2], [2])), 'a tensor in its pickle is damaged'],
  ])('with %s is refused', async (_, pickle, reason) => {
    await expect(openTorchFile(archive(pickle), 'm.ckpt')).rejects.toMatchObject({
      code: 'bad-file',
      details: { file: 'm.ckpt', reason },
    });
  });

  test('is refused when cut anywhere', async () => {
    const pickle = dictionary(tensor([2, 2], [2, 1]));
    for (let size = 0; size < pickle.length; size++)
      await expect(openTorchFile(archive(pickle.slice(0, size)), 'f')).rejects.toMatchObject({
        code: 'bad-file',
      });
  });
});

describe('other files', () => {
  test.each<[string, Blob, string]>([
    [
      'that runs something when Python opens it',
      read('torch-runs-something.ckpt'),
      'it wants "posix.system" to be run, which weights do not need; nothing was run',
    ],
    [
      'compressed',
      read('torch-compressed.bin'),
      '"archive/data.pkl" is compressed; PyTorch stores everything as it is',
    ],
    [
      'of before 2020',
      read('torch-legacy.pt'),
      'it is a PyTorch file in the form of before 2020, which cannot be read in parts',
    ],
    [
      'of before 2017, a tar archive',
      new Blob(['sys_info', new Uint8Array(249), 'ustar', new Uint8Array(1000)]),
      'it is a PyTorch file in the form of before 2020, which cannot be read in parts',
    ],
    [
      'of pickle alone',
      new Blob([Uint8Array.of(0x80, 4, 0x95), new Uint8Array(100).fill(1)]),
      'it is a Python pickle, not safetensors',
    ],
    [
      'of a big-endian machine',
      archive(dictionary(tensor([4], [1])), ['archive/byteorder']),
      'its numbers are big-endian',
    ],
    [
      'a zip of something else',
      makeZip([{ path: 'readme.txt', content: new Uint8Array(1) }]),
      'it is a zip archive, but not one that PyTorch saved',
    ],
  ])('%s', async (_, blob, reason) => {
    await expect(openWeightsFile(blob, 'm.ckpt')).rejects.toMatchObject({
      code: 'bad-file',
      details: { file: 'm.ckpt', reason },
    });
  });

  test('safetensors, told by how it starts', async () => {
    const file = await openWeightsFile(read('reference.safetensors'), 'm.safetensors');
    expect([file.metadata, file.globalStep]).toEqual([{ format: 'pt' }, undefined]);
    expect([...file.tensors.keys()].sort()).toEqual(Object.keys(reference.tensors).sort());
  });
});
