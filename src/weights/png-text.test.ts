import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { insertPngText, readPngText } from './png-text';

type Fixture = {
  readonly plain: string;
  readonly written: readonly { readonly text: string; readonly png: string }[];
};

const fixture = JSON.parse(
  readFileSync(new URL('./__fixtures__/png-text.json', import.meta.url), 'utf8'),
) as Fixture;
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));
const plain = bytes(fixture.plain);

test.each(fixture.written)(
  'writes the bytes that Pillow writes, and reads them back: $text',
  ({ text, png }) => {
    expect([...insertPngText(plain, 'parameters', text)]).toEqual([...bytes(png)]);
    expect(readPngText(bytes(png), 'parameters')).toBe(text);
  },
);

test('replaces a text of the same keyword and keeps the others', () => {
  const first = insertPngText(plain, 'parameters', 'one');
  const both = insertPngText(first, 'prompt', '{"1": 2}');
  const replaced = insertPngText(both, 'parameters', 'zwei 二');
  expect(readPngText(replaced, 'parameters')).toBe('zwei 二');
  expect(readPngText(replaced, 'prompt')).toBe('{"1": 2}');
  expect([...insertPngText(replaced, 'parameters', 'one')]).toEqual([
    ...insertPngText(insertPngText(plain, 'prompt', '{"1": 2}'), 'parameters', 'one'),
  ]);
});

test('reads nothing from damaged, cut or foreign files', () => {
  const png = insertPngText(plain, 'parameters', 'a dog');
  expect(readPngText(png, 'workflow')).toBeUndefined();
  expect(readPngText(plain, 'parameters')).toBeUndefined();
  expect(readPngText(png.subarray(0, png.length - 5), 'parameters')).toBeUndefined();
  expect(readPngText(new TextEncoder().encode('parameters'), 'parameters')).toBeUndefined();
  expect(readPngText(new Uint8Array(), 'parameters')).toBeUndefined();
  const damaged = png.slice();
  damaged[45]! ^= 1;
  expect(readPngText(damaged, 'parameters')).toBeUndefined();
  const overlong = png.slice();
  overlong[33] = 0x7f;
  expect(readPngText(overlong, 'parameters')).toBeUndefined();
  expect(() => insertPngText(damaged, 'parameters', 'x')).toThrow('not a whole PNG');
  expect(() => insertPngText(plain, '', 'x')).toThrow('bad PNG keyword');
});

test('reads from a view into a larger buffer', () => {
  const png = insertPngText(plain, 'parameters', 'a dog');
  const larger = new Uint8Array(png.length + 20);
  larger.set(png, 7);
  expect(readPngText(larger.subarray(7, 7 + png.length), 'parameters')).toBe('a dog');
});
