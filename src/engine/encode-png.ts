// Pixels → PNG file, by the browser's own encoder; runs in a worker. Text chunks are added by weights/png-text.ts.
import { assert } from '../base/assert';

export type EncodePng = (
  rgba: Uint8ClampedArray<ArrayBuffer>,
  width: number,
  height: number,
) => Promise<Blob>;

/** Encodes RGBA levels [height, width, 4], not premultiplied, without loss where they are opaque. */
export const encodePng: EncodePng = async (rgba, width, height) => {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  assert(context, `no canvas of ${width} × ${height}`);
  context.putImageData(new ImageData(rgba, width, height), 0, 0);
  return canvas.convertToBlob({ type: 'image/png' });
};
