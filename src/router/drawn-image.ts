// A picture of the local model as the router hands it on: the file, and the parameters that its PNG carries.
import { parametersKeyword } from '../weights/png-parameters';
import { readPngText } from '../weights/png-text';
import type { DrawnImage } from './draw';

/** `bytes` is the file to hand out, `png` the one that was drawn. */
export function drawnImage(bytes: Uint8Array, png: Uint8Array): DrawnImage {
  return { bytes, parameters: readPngText(png, parametersKeyword) ?? '' };
}
