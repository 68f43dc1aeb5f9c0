import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { detectFormat, readPixelSize, type PhotoFormat } from './photo-format';

const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../e2e/fixtures/${name}`, import.meta.url)));
const latin1 = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
const ftyp = (major: string, ...compatible: string[]) =>
  latin1(
    `\0\0\0${String.fromCharCode(16 + 4 * compatible.length)}ftyp${major}\0\0\0\0${compatible.join('')}rest`,
  );

test.each<[string, PhotoFormat | undefined]>([
  ['orientation6.jpg', 'jpeg'],
  ['header-only.jpg', 'jpeg'],
  ['small.png', 'png'],
  ['photo.webp', 'webp'],
  ['photo.heic', 'heic'],
  ['text.jpg', undefined],
  ['empty.jpg', undefined],
])('goes by the bytes of %s', (name, format) => {
  expect(detectFormat(fixture(name).subarray(0, 128))).toBe(format);
});

test('tells HEIC, AVIF and video apart by all brands', () => {
  expect(detectFormat(ftyp('heic', 'mif1', 'heic'))).toBe('heic');
  expect(detectFormat(ftyp('mif1', 'miaf', 'heix'))).toBe('heic');
  expect(detectFormat(ftyp('mif1'))).toBe('heic');
  expect(detectFormat(ftyp('avif', 'mif1', 'miaf'))).toBe('avif');
  expect(detectFormat(ftyp('mif1', 'avif'))).toBe('avif');
  expect(detectFormat(ftyp('isom', 'mp42'))).toBeUndefined();
  expect(detectFormat(latin1('\0\0\0\x18ftyp'))).toBeUndefined();
});

test('knows the other formats and does not take text for a bitmap', () => {
  expect(detectFormat(latin1('GIF89a\x01\0\x01\0'))).toBe('gif');
  expect(detectFormat(latin1('II*\0'))).toBe('tiff');
  expect(detectFormat(latin1(`BM${'\0'.repeat(12)}\x28\0\0\0`))).toBe('bmp');
  expect(detectFormat(latin1('BMW is a maker of cars'))).toBeUndefined();
});

test('reads the stored size', () => {
  expect(readPixelSize('jpeg', fixture('orientation1.jpg'))).toEqual({ width: 108, height: 72 });
  expect(readPixelSize('jpeg', fixture('orientation6.jpg'))).toEqual({ width: 72, height: 108 });
  expect(readPixelSize('png', fixture('small.png'))).toEqual({ width: 40, height: 90 });
  expect(readPixelSize('gif', latin1('GIF89a\x02\x01\x03\0'))).toEqual({ width: 258, height: 3 });
  expect(readPixelSize('jpeg', fixture('header-only.jpg'))).toBeUndefined();
  expect(readPixelSize('webp', fixture('photo.webp'))).toBeUndefined();
  expect(readPixelSize('jpeg', latin1('\xff\xd8\xff\xe1\0\0'))).toBeUndefined();
});
