// The photo decoder in a real worker: every EXIF orientation, a photo of 108 megapixels, and what is no photo; and start pictures.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { expect, test, type Page } from '@playwright/test';
import { build } from 'vite';
import { crc32 } from '../src/base/crc32';
import type { PhotoAnswer, PhotoReport, PictureReport } from './decode-photo.worker';

const origin = 'http://localhost:1'; // answered by the routes below; a secure context, so that WebCrypto is there
const fixture = (name: string) => readFile(new URL(`./fixtures/${name}`, import.meta.url));
let workerCode = '';

test.beforeAll(async () => {
  const entry = fileURLToPath(new URL('./decode-photo.worker.ts', import.meta.url));
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    build: { write: false, minify: false, lib: { entry, formats: ['es'], fileName: 'worker' } },
  });
  const [output] = [result].flat();
  if (output === undefined || !('output' in output)) throw new Error('the worker was not built');
  workerCode = output.output[0].code;
});

test.beforeEach(async ({ page }) => {
  await page.route(`${origin}/**`, (route) => {
    const isWorker = route.request().url().endsWith('.js');
    return route.fulfill({
      contentType: isWorker ? 'text/javascript' : 'text/html',
      body: isWorker ? workerCode : '<!doctype html><title>photos</title>',
    });
  });
  await page.goto(`${origin}/`);
});

/** Sends `bytes` as a file to a fresh worker, as a photo or, with a size, as a start picture. */
function decode(
  page: Page,
  bytes: Buffer,
  name: string,
  size?: readonly [number, number],
): Promise<PhotoAnswer> {
  return page.evaluate(
    async ([base64, name, size]) => {
      const { promise, resolve, reject } = Promise.withResolvers<PhotoAnswer>();
      const worker = new Worker('/worker.js', { type: 'module' });
      worker.addEventListener('message', (event: MessageEvent<PhotoAnswer>) => resolve(event.data));
      worker.addEventListener('error', (event) => reject(new Error(event.message)));
      const data = await (await fetch(`data:application/octet-stream;base64,${base64}`)).blob();
      worker.postMessage({ file: data, name, size });
      return promise.finally(() => worker.terminate());
    },
    [bytes.toString('base64'), name, size] as const,
  );
}

const cornerColors = [
  [230, 20, 20, 255],
  [20, 200, 20, 255],
  [20, 20, 230, 255],
  [240, 220, 20, 255],
];

function expectColors(found: readonly (readonly number[])[], wanted: readonly (readonly number[])[]) {
  const worst = wanted.flat().map((level, i) => Math.abs(level - (found.flat()[i] ?? NaN)));
  expect(Math.max(...worst), JSON.stringify(found)).toBeLessThanOrEqual(6);
}

for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
  test(`EXIF orientation ${orientation} comes out upright`, async ({ page }) => {
    const bytes = await fixture(`orientation${orientation}.jpg`);
    const answer = (await decode(page, bytes, 'photo.jpg')) as PhotoReport;
    expect({ ...answer, corners: [], thumbnailCorner: [] }).toEqual({
      width: 108,
      height: 72,
      rgbaWidth: 108,
      rgbaHeight: 72,
      corners: [],
      id: createHash('sha256').update(bytes).digest('hex'),
      thumbnailType: 'image/webp',
      thumbnailSize: [256, 256],
      thumbnailCorner: [],
      pngIsEqual: true,
    });
    expectColors(answer.corners, cornerColors);
    expectColors([answer.thumbnailCorner], [cornerColors[0]!]);
  });
}

test('a photo of 12000 × 9000 pixels is scaled by the decoder, upright and whole', async ({ page }) => {
  const answer = (await decode(page, halfBlackPng(12000, 9000), 'huge.png')) as PhotoReport;
  expect(answer).toMatchObject({ width: 12000, height: 9000, rgbaWidth: 2048, rgbaHeight: 1536 });
  expectColors(answer.corners, [
    [0, 0, 0, 255],
    [255, 255, 255, 255],
    [0, 0, 0, 255],
    [255, 255, 255, 255],
  ]);
});

test('a transparent picture keeps its alpha, and its thumbnail lies on white', async ({ page }) => {
  const answer = (await decode(page, await fixture('transparent.png'), 'transparent.png')) as PhotoReport;
  expect(answer.corners.map((corner) => corner[3])).toEqual([26, 26, 229, 229]);
  expectColors([answer.thumbnailCorner], [[255, 255, 255, 255]]);
});

for (const [file, reason] of [
  ['empty.jpg', 'empty'],
  ['text.jpg', 'not-an-image'],
  ['photo.heic', 'heic'],
  ['header-only.jpg', 'undecodable'],
  ['truncated.jpg', 'undecodable'],
  ['small.png', 'too-small'],
] as const) {
  test(`${file} is refused: ${reason}`, async ({ page }) => {
    expect(await decode(page, await fixture(file), file)).toEqual({
      code: 'bad-image',
      details: { file, reason },
    });
  });
}

test('a picture whose header promises too many pixels is refused before it is decoded', async ({ page }) => {
  const bomb = halfBlackPng(64, 64);
  bomb.writeUInt32BE(60000, 16);
  bomb.writeUInt32BE(60000, 20);
  expect(await decode(page, bomb, 'bomb.png')).toEqual({
    code: 'bad-image',
    details: { file: 'bomb.png', reason: 'too-large' },
  });
});

/** RGB levels in the middles of a picture's three columns, at a part of its height. */
async function columnsOf(
  page: Page,
  bytes: Buffer,
  [width, height]: readonly [number, number],
  part: number,
) {
  const { levels } = (await decode(page, bytes, 'start', [width, height])) as PictureReport;
  expect(levels).toHaveLength(4 * width * height);
  expect(levels.filter((_, i) => i % 4 === 3).every((alpha) => alpha === 255)).toBe(true);
  return [1, 3, 5].map((sixth) => {
    const at = 4 * (Math.floor(part * height) * width + Math.floor((sixth * width) / 6));
    return levels.slice(at, at + 3);
  });
}

const [red, green, blue, yellow] = cornerColors.map((color) => color.slice(0, 3)) as [
  number[],
  number[],
  number[],
  number[],
];
const grey = [128, 128, 128];

for (const orientation of [1, 3, 6, 7]) {
  test(`a start picture of EXIF orientation ${orientation} is upright, whatever its size`, async ({
    page,
  }) => {
    const bytes = await fixture(`orientation${orientation}.jpg`);
    expectColors(await columnsOf(page, bytes, [216, 144], 0.1), [red, grey, green]);
    expectColors(await columnsOf(page, bytes, [54, 36], 0.9), [blue, grey, yellow]);
  });
}

test('of a start picture the middle of the asked aspect is taken', async ({ page }) => {
  const bytes = await fixture('orientation1.jpg'); // three columns of 36 × 72, three rows of 24
  expectColors(await columnsOf(page, bytes, [36, 72], 0.1), [grey, grey, grey]); // the middle column
  expectColors(await columnsOf(page, bytes, [144, 144], 0.1), [red, grey, green]); // 18 pixels of each side column
  const { levels } = (await decode(page, bytes, 'start', [72, 72])) as PictureReport;
  const row = Array.from({ length: 72 }, (_, x) => levels[4 * (7 * 72 + x)]!); // red levels
  expect(row.filter((level) => level > 200).length).toBeGreaterThanOrEqual(16);
  expect(row.filter((level) => level > 200).length).toBeLessThanOrEqual(19);
  expectColors(await columnsOf(page, bytes, [108, 24], 0.1), [grey, grey, grey]); // the middle row
});

test('a transparent start picture lies on white, and a small one is taken', async ({ page }) => {
  const bytes = await fixture('transparent.png'); // its alpha grows downwards, 26 and 229 at a tenth from the ends
  const onWhite = (color: number[], alpha: number) =>
    color.map((level) => 255 + ((level - 255) * alpha) / 255);
  expectColors(await columnsOf(page, bytes, [108, 72], 0.1), [
    onWhite(red, 26),
    onWhite(grey, 26),
    onWhite(green, 26),
  ]);
  expectColors(await columnsOf(page, bytes, [108, 72], 0.9), [
    onWhite(blue, 229),
    onWhite(grey, 229),
    onWhite(yellow, 229),
  ]);
  await columnsOf(page, await fixture('small.png'), [40, 88], 0.5);
});

test('a start picture that is none is refused', async ({ page }) => {
  expect(await decode(page, await fixture('text.jpg'), 'text.jpg', [64, 64])).toEqual({
    code: 'bad-image',
    details: { file: 'text.jpg', reason: 'not-an-image', isAlone: true },
  });
});

/** A one-bit PNG, black on the left and white on the right. */
function halfBlackPng(width: number, height: number): Buffer {
  const stride = 1 + Math.ceil(width / 8);
  const row = Buffer.alloc(stride, 255, 'latin1').fill(0, 0, 1 + Math.floor(stride / 2));
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([1, 0, 0, 0, 0], 8);
  const pixels = deflateSync(Buffer.concat(Array.from({ length: height }, () => row)));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', pixels),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(data.length, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), chunk.length - 4);
  return chunk;
}
