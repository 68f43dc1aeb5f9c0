import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openSafetensors, writeSafetensors } from './safetensors';
import { readSafetensorsHeader, type Dtype } from './safetensors-header';
import { readFloats } from './stored-tensor';
import fixture from './__fixtures__/reference.json';

const bytes = new Uint8Array(readFileSync(new URL('./__fixtures__/reference.safetensors', import.meta.url)));
const dtypes: Readonly<Record<string, Dtype>> = {
  'torch.uint8': 'U8',
  'torch.bool': 'BOOL',
  'torch.int8': 'I8',
  'torch.float8_e4m3fn': 'F8_E4M3',
  'torch.float8_e5m2': 'F8_E5M2',
  'torch.int16': 'I16',
  'torch.float16': 'F16',
  'torch.bfloat16': 'BF16',
  'torch.int32': 'I32',
  'torch.float32': 'F32',
  'torch.float64': 'F64',
  'torch.int64': 'I64',
};

describe('a file of the reference library', () => {
  test('gives its metadata, shapes, bytes and numbers', async () => {
    const file = await openSafetensors(new Blob([bytes]), 'reference.safetensors');
    expect(file.metadata).toEqual({ format: 'pt' });
    expect([...file.tensors.keys()].sort()).toEqual(Object.keys(fixture.tensors).sort());
    for (const [name, expected] of Object.entries(fixture.tensors)) {
      const tensor = file.tensors.get(name)!;
      expect([name, tensor.dtype, tensor.shape]).toEqual([name, dtypes[expected.dtype], expected.shape]);
      expect([...(await tensor.read())]).toEqual(expected.bytes);
      if ('values' in expected) expect([...(await readFloats(tensor, name, ''))]).toEqual(expected.values);
    }
    await expect(readFloats(file.tensors.get('ints')!, 'ints', 'f')).rejects.toMatchObject({
      code: 'bad-file',
      details: { file: 'f', reason: '"ints" holds I32 numbers, which this page cannot use as weights' },
    });
  });

  test('is written again byte for byte', () => {
    const tensors = Object.entries(fixture.tensors).map(([name, { dtype, shape, bytes: data }]) => ({
      name,
      dtype: dtypes[dtype]!,
      shape,
      data: Uint8Array.from(data),
    }));
    expect([...writeSafetensors(tensors, { format: 'pt' })]).toEqual([...bytes]);
  });
});

function fileOf(header: string, data = new Uint8Array(8)): Blob {
  const text = new TextEncoder().encode(header);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  return new Blob([length, text, data]);
}

const entry = (begin: number, end: number, shape = `[${(end - begin) / 4}]`) =>
  `{"dtype":"F32","shape":${shape},"data_offsets":[${begin},${end}]}`;

test('a header need not be aligned nor padded, and extra fields are let be', async () => {
  const data = new Uint8Array(Float32Array.of(1.5, -2).buffer);
  const text = '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"note":{"a":1,"b":["a:"]}}} ';
  const file = await openSafetensors(fileOf(text, data), 'f');
  expect((8 + text.length) % 4).not.toBe(0);
  expect([...(await readFloats(file.tensors.get('a')!, 'a', 'f'))]).toEqual([1.5, -2]);
  expect(file.metadata).toEqual({});
});

test('a tensor may be named like an object’s own property', async () => {
  const file = await openSafetensors(fileOf(`{"__proto__":${entry(0, 4)},"toString":${entry(4, 8)}}`), 'f');
  expect([...file.tensors.keys()]).toEqual(['__proto__', 'toString']);
});

const whole = new Blob([bytes]);
const outside =
  '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[400,404]}}';

test.each<[string, Blob, string]>([
  ['empty', new Blob([]), 'the file is empty'],
  ['three bytes', whole.slice(0, 3), 'the file is cut short: it ends before its table of contents'],
  ['cut in the header', whole.slice(0, 300), 'the file is cut short: it ends within its table of contents'],
  ['cut in the data', whole.slice(0, 1030), 'the file is cut short: 1030 of 1036 bytes are there'],
  ['too long', new Blob([bytes, 'xx']), 'it goes on for 2 bytes after its last tensor'],
  ['offset outside', fileOf(outside), 'an offset of "b" points outside the file'],
  ['gap', fileOf(`{"a":${entry(0, 4)},"b":${entry(8, 8)}}`), '"b" comes after a gap that belongs to nothing'],
  ['overlap', fileOf(`{"a":${entry(0, 8)},"b":${entry(4, 8)}}`), '"b" shares bytes with another tensor'],
  ['wrong shape', fileOf(`{"a":${entry(0, 8, '[3]')}}`), '"a" should take 12 bytes and its offsets say 8'],
  ['backwards', fileOf(`{"a":${entry(8, 0, '[2]')}}`), '"a" should take 8 bytes and its offsets say -8'],
  ['negative', fileOf(`{"a":${entry(-8, 0, '[2]')}}`), 'the offsets of "a" are damaged'],
  ['fraction', fileOf(`{"a":${entry(0, 8, '[1.5]')}}`), 'the shape of "a" is damaged'],
  ['huge', fileOf(`{"a":${entry(0, 8, '[9007199254740993]')}}`), 'the shape of "a" is damaged'],
  [
    'unknown type',
    fileOf('{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}'),
    '"a" has the unknown number type "F33"',
  ],
  [
    'inherited type',
    fileOf('{"a":{"dtype":"toString","shape":[2],"data_offsets":[0,8]}}'),
    '"a" has the unknown number type "toString"',
  ],
  ['twice', fileOf(`{"a":${entry(0, 4)},"\\u0061":${entry(4, 8)}}`), 'its table of contents names "a" twice'],
  ['metadata number', fileOf(`{"__metadata__":{"n":1},"a":${entry(0, 8)}}`), 'its metadata "n" is not text'],
  ['not JSON', fileOf(`{"a":${entry(0, 8)}`), 'its table of contents is damaged'],
  [
    'not UTF-8',
    new Blob([Uint8Array.of(4, 0, 0, 0, 0, 0, 0, 0), '{"', Uint8Array.of(255), '}']),
    'its table of contents is damaged',
  ],
  ['an array', fileOf('[]'), 'it is not a safetensors file'],
  ['text', new Blob(['hello, this is a text file']), 'it is not a safetensors file'],
  ['zip', new Blob(['PK\u0003\u0004 and so on']), 'it is a zip archive or a PyTorch file, not safetensors'],
  ['web page', new Blob(['<!doctype html><html>']), 'it is a web page, not a weights file'],
  [
    'pointer',
    new Blob(['version https://git-lfs.github.com/spec/v1\n']),
    'it is a Git LFS pointer, not the file itself',
  ],
  [
    'picture',
    new Blob([Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0, 0)]),
    'it is a picture, not a weights file',
  ],
  [
    'pickle',
    new Blob([Uint8Array.of(0x80, 2, 0x7d, 0x71, 0, 0x58, 0, 0x61)]),
    'it is a Python pickle, not safetensors',
  ],
])('is refused with a reason: %s', async (_, blob, reason) => {
  await expect(readSafetensorsHeader(blob, 'x.safetensors')).rejects.toMatchObject({
    code: 'bad-file',
    details: { file: 'x.safetensors', reason },
  });
});

test('refuses to write what could not be read', () => {
  const tensor = { name: 'a', dtype: 'F32', shape: [2], data: new Float32Array(2) } as const;
  expect(() => writeSafetensors([{ ...tensor, shape: [3] }])).toThrow('a: 8 bytes, expected 12');
  expect(() => writeSafetensors([tensor, tensor])).toThrow('same name');
});
