// PNG both ways for Node, where there is no OffscreenCanvas. Only what the encoder writes is read.
import { deflateSync, inflateSync } from 'node:zlib';
import { crc32 } from '../../base/crc32';
import { assert } from '../../base/assert';
import type { DecodePicture } from '../decode-photo';
import type { EncodePng } from '../encode-png';

/** Encodes RGBA without filters. */
export const encodePngInNode: EncodePng = (rgba, width, height) => {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 6], 8); // 8 bits, RGBA
  const rows = Buffer.alloc(height * (4 * width + 1));
  for (let y = 0; y < height; y++)
    rows.set(rgba.subarray(4 * width * y, 4 * width * (y + 1)), y * (4 * width + 1) + 1);
  const parts = [chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))];
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  return Promise.resolve(new Blob([signature, ...parts], { type: 'image/png' }));
};

/** The rows of a PNG of ours, each a filter byte and RGBA. */
export async function pixelsOf(png: Blob): Promise<Uint8Array> {
  const bytes = Buffer.from(await png.arrayBuffer());
  const start = bytes.indexOf('IDAT');
  return inflateSync(bytes.subarray(start + 4, start + 4 + bytes.readUInt32BE(start - 4)));
}

/** The levels of a PNG of ours that has the asked size already. */
export const decodePngInNode: DecodePicture = async (file, name, width, height) => {
  const rows = await pixelsOf(file);
  assert(rows.length === height * (4 * width + 1), `${name} is ${width} × ${height}`);
  return Uint8ClampedArray.from(rows.filter((_, i) => i % (4 * width + 1) !== 0));
};

function chunk(type: string, data: Buffer): Buffer<ArrayBuffer> {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, 'latin1');
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}
