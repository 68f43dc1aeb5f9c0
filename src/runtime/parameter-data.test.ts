import { expect, test } from 'vitest';
import { floatToHalf, halfToFloat } from '../base/float16';
import { readParameter } from './parameter-data';
import type { ParameterSource, ParameterType } from './runtime';

const length = 2 * 2 ** 20 + 3;
const values = Float32Array.from({ length }, (_, i) => (i % 4001) / 8 - 250); // exact in half precision
const bytesOf = (type: ParameterType) =>
  new Uint8Array((type === 'float16' ? floatToHalf(values) : values).buffer);

test.each<[ParameterType, ParameterType]>([
  ['float32', 'float32'],
  ['float16', 'float16'],
  ['float16', 'float32'],
  ['float32', 'float16'],
])('a large tensor of %s comes as %s in pieces, none over 4 MiB', async (type, storedAs) => {
  const stored = bytesOf(type);
  const reads: number[] = [];
  const source: ParameterSource = {
    name: 'w',
    type,
    shape: [length],
    storedAs,
    read: (begin = 0, end = stored.length) => {
      reads.push(end - begin);
      return Promise.resolve(stored.slice(begin, end));
    },
  };
  const whole = new Uint8Array(bytesOf(storedAs).length);
  for await (const { offset, bytes } of readParameter(source)) {
    expect([offset % 4, bytes.byteOffset % 4]).toEqual([0, 0]);
    expect(bytes.length).toBeLessThanOrEqual(4 * 2 ** 20);
    whole.set(bytes, offset);
  }
  expect(reads).toHaveLength(3);
  expect(Math.max(...reads)).toBeLessThanOrEqual(4 * 2 ** 20);
  const numbers =
    storedAs === 'float16' ? halfToFloat(new Uint16Array(whole.buffer)) : new Float32Array(whole.buffer);
  expect(Buffer.compare(new Uint8Array(numbers.buffer), new Uint8Array(values.buffer))).toBe(0);
});

test('a source that answers with another number of bytes is a mistake', async () => {
  const source: ParameterSource = {
    name: 'w',
    type: 'float32',
    shape: [2],
    read: () => Promise.resolve(new Uint8Array(4)),
  };
  await expect(readParameter(source).next()).rejects.toThrow('w: 4 bytes read, 8 expected');
});
