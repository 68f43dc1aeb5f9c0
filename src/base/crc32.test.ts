import { crc32 as zlibCrc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { crc32 } from './crc32';

const ascii = (text: string) => new TextEncoder().encode(text);

test('gives the check values of the specification', () => {
  expect(crc32(ascii('123456789'))).toBe(0xcbf43926);
  expect(crc32(ascii('IEND'))).toBe(0xae426082);
  expect(crc32(new Uint8Array())).toBe(0);
});

test('goes on from an earlier result and equals zlib on every byte value', () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 37 + (i >> 3)) & 255);
  expect(crc32(bytes)).toBe(zlibCrc32(bytes));
  expect(crc32(bytes.subarray(400), crc32(bytes.subarray(0, 400)))).toBe(zlibCrc32(bytes));
});
