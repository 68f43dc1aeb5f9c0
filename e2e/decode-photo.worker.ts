// Runs the photo decoder in a worker of its own for decode-photo.spec.ts and answers with plain numbers.
import { isAppError } from '../src/base/errors';
import { decodePhoto, decodePicture, preparePhoto } from '../src/engine/decode-photo';
import { encodePng } from '../src/engine/encode-png';

export type PhotoReport = {
  readonly width: number;
  readonly height: number;
  readonly rgbaWidth: number;
  readonly rgbaHeight: number;
  readonly corners: readonly (readonly number[])[]; // RGBA near left top, right top, left bottom, right bottom
  readonly id: string;
  readonly thumbnailType: string;
  readonly thumbnailSize: readonly number[];
  readonly thumbnailCorner: readonly number[];
  readonly pngIsEqual: boolean; // encoded and decoded again: the same pixels
};
/** Of `decodePicture`, for a message with a size. */
export type PictureReport = { readonly levels: readonly number[] };
export type PhotoAnswer = PhotoReport | PictureReport | { readonly code: string; readonly details: unknown };

export type PhotoQuestion = {
  readonly file: Blob;
  readonly name: string;
  readonly size?: readonly [width: number, height: number] | undefined;
};

self.addEventListener('message', (event: MessageEvent<PhotoQuestion>) => {
  const { file, name, size } = event.data;
  const answer: Promise<PhotoReport | PictureReport> = size
    ? decodePicture(file, name, ...size).then((levels) => ({ levels: [...levels] }))
    : report(file, name);
  void answer
    .catch((error: unknown) =>
      isAppError(error)
        ? { code: error.code, details: error.details }
        : { code: 'bug', details: String(error) },
    )
    .then((answer: PhotoAnswer) => self.postMessage(answer));
});

async function report(file: Blob, name: string): Promise<PhotoReport> {
  const photo = await decodePhoto(file, { name });
  const { width, height, rgba, rgbaWidth, rgbaHeight } = photo;
  const at = (x: number, y: number) => {
    const from = (Math.round(y * (rgbaHeight - 1)) * rgbaWidth + Math.round(x * (rgbaWidth - 1))) * 4;
    return [...rgba.subarray(from, from + 4)];
  };
  const corners = [at(0.1, 0.1), at(0.9, 0.1), at(0.1, 0.9), at(0.9, 0.9)];
  const { id, thumbnail } = await preparePhoto(file, name);
  const small = await decodePhoto(thumbnail, { name: 'thumbnail' });
  const png = await decodePhoto(await encodePng(rgba, rgbaWidth, rgbaHeight), { name: 'png' });
  return {
    width,
    height,
    rgbaWidth,
    rgbaHeight,
    corners,
    id,
    thumbnailType: thumbnail.type,
    thumbnailSize: [small.width, small.height],
    thumbnailCorner: [...small.rgba.subarray(0, 4)],
    pngIsEqual: png.rgba.every((level, i) => level === rgba[i]),
  };
}
