// Photo files → pixels, in a worker: what is no picture is refused by its bytes, EXIF orientation is applied by the browser's
// decoder, and only a scaled-down copy is ever read back, so that a photo of 100 megapixels does not fill the memory.
import { AppError } from '../base/errors';
import { squareCrop } from '../training/images-crop';
import { detectFormat, headBytes, mediaTypes, readPixelSize } from './photo-format';

/** Why a photo is refused: `details.reason` of AppError('bad-image'). */
type BadImageReason = 'empty' | 'not-an-image' | 'undecodable' | 'heic' | 'too-small' | 'too-large';

/** What is accepted. Bytes and pixels are bounded because the decoder holds the file and 4 bytes per pixel at once. */
const photoLimits = {
  fileBytes: 256 * 2 ** 20,
  pixels: 200e6,
  shortestSide: 64,
} as const;

/** Pixels read back at most: no model here is trained above this, and panoramas stay bounded too. */
const readBack = { shortSide: 1536, longSide: 8192 };
const sizeHeaderBytes = 2 ** 20; // a JPEG's frame header stands behind its EXIF and colour profile
const thumbnailSize = 256;

export type DecodedPhoto = {
  readonly width: number; // of the upright photo
  readonly height: number;
  readonly rgba: Uint8ClampedArray<ArrayBuffer>; // [rgbaHeight, rgbaWidth, 4], not premultiplied, sRGB
  readonly rgbaWidth: number;
  readonly rgbaHeight: number;
};

export type PreparedPhoto = {
  readonly id: string; // SHA-256 of the file's bytes, hex
  readonly width: number;
  readonly height: number;
  readonly thumbnail: Blob; // 256 × 256, the centred square on white
};

/**
 * Decodes a photo upright, scaled down where its short side is above 1536 pixels.
 * Throws AppError('bad-image', { file: name, reason }) with a BadImageReason.
 */
export async function decodePhoto(file: Blob, { name }: { readonly name: string }): Promise<DecodedPhoto> {
  const bitmap = await openPhoto(file, name);
  try {
    const { width, height } = bitmap;
    const scale = Math.min(
      1,
      readBack.shortSide / Math.min(width, height),
      readBack.longSide / Math.max(width, height),
    );
    const rgbaWidth = Math.max(1, Math.round(width * scale));
    const rgbaHeight = Math.max(1, Math.round(height * scale));
    const context = drawingContext(rgbaWidth, rgbaHeight);
    context.drawImage(bitmap, 0, 0, rgbaWidth, rgbaHeight);
    const { data } = context.getImageData(0, 0, rgbaWidth, rgbaHeight);
    return { width, height, rgba: data, rgbaWidth, rgbaHeight };
  } finally {
    bitmap.close();
  }
}

/** A picture file as opaque RGBA levels of exactly `width` × `height`; `name` is for the error. */
export type DecodePicture = (
  file: Blob,
  name: string,
  width: number,
  height: number,
) => Promise<Uint8ClampedArray>;

/** How a picture is opened that is no photo of many: it may be small. */
const alone = { shortestSide: 1, isAlone: true } as const;

/** Decodes upright, on white, the largest middle part of the asked aspect. Throws as `decodePhoto` does, but takes small ones. */
export const decodePicture: DecodePicture = async (file, name, width, height) => {
  const bitmap = await openPhoto(file, name, alone);
  try {
    const scale = Math.min(bitmap.width / width, bitmap.height / height);
    const [w, h] = [width * scale, height * scale];
    const context = drawingContext(width, height);
    context.fillStyle = 'white';
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, (bitmap.width - w) / 2, (bitmap.height - h) / 2, w, h, 0, 0, width, height);
    return context.getImageData(0, 0, width, height).data;
  } finally {
    bitmap.close();
  }
};

/** Throws as `decodePicture` would. */
export async function checkPicture(file: Blob, name: string): Promise<void> {
  (await openPhoto(file, name, alone)).close();
}

/** What the page shows and stores of a photo. Throws as `decodePhoto` does. */
export async function preparePhoto(file: Blob, name: string): Promise<PreparedPhoto> {
  const bitmap = await openPhoto(file, name);
  const { width, height } = bitmap;
  let canvas: OffscreenCanvas;
  try {
    canvas = drawThumbnail(bitmap);
  } finally {
    bitmap.close(); // before the file's bytes are read for the hash
  }
  const thumbnail = await canvas.convertToBlob({ type: 'image/webp', quality: 0.85 });
  return { id: await hashFile(file), width, height, thumbnail };
}

function drawThumbnail(bitmap: ImageBitmap): OffscreenCanvas {
  const crop = squareCrop(bitmap.width, bitmap.height);
  const context = drawingContext(thumbnailSize, thumbnailSize);
  context.fillStyle = 'white';
  context.fillRect(0, 0, thumbnailSize, thumbnailSize);
  context.drawImage(bitmap, crop.x, crop.y, crop.size, crop.size, 0, 0, thumbnailSize, thumbnailSize);
  return context.canvas;
}

/** The checks, cheapest first, then the browser's decoder. The caller closes the bitmap. */
async function openPhoto(
  file: Blob,
  name: string,
  {
    shortestSide,
    isAlone = false,
  }: { readonly shortestSide: number; readonly isAlone?: boolean } = photoLimits,
): Promise<ImageBitmap> {
  const refuse = (reason: BadImageReason, cause?: unknown) =>
    new AppError('bad-image', { file: name, reason, ...(isAlone && { isAlone }) }, cause);
  if (file.size === 0) throw refuse('empty');
  const format = detectFormat(await readHead(file, headBytes));
  if (format === undefined) throw refuse('not-an-image');
  if (file.size > photoLimits.fileBytes) throw refuse('too-large');
  const stored = readPixelSize(format, await readHead(file, sizeHeaderBytes));
  if (stored !== undefined && stored.width * stored.height > photoLimits.pixels) throw refuse('too-large');

  const typed = file.slice(0, file.size, mediaTypes[format]);
  const bitmap = await createImageBitmap(typed, { imageOrientation: 'from-image' }).catch(
    (cause: unknown) => {
      throw refuse(format === 'heic' ? 'heic' : 'undecodable', cause);
    },
  );
  if (Math.min(bitmap.width, bitmap.height) >= shortestSide) return bitmap;
  bitmap.close();
  throw refuse('too-small');
}

async function readHead(file: Blob, length: number): Promise<Uint8Array> {
  return new Uint8Array(await file.slice(0, length).arrayBuffer());
}

function drawingContext(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (context === null) throw new AppError('out-of-memory', { for: 'photo', width, height });
  context.imageSmoothingQuality = 'high';
  return context;
}

async function hashFile(file: Blob): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
