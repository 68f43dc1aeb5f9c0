// Which part of a photo the model sees: a square that never squashes.

/** A square of source pixels; x and y are its left top corner. All whole numbers. */
export type SquareCrop = { readonly x: number; readonly y: number; readonly size: number };

/** A point of the photo that should stay in view, as fractions of width and height (0 left or top, 1 right or bottom). */
export type CropFocus = { readonly x: number; readonly y: number };

const center: CropFocus = { x: 0.5, y: 0.5 };

/**
 * The largest square of a `width` × `height` photo, as near to centred on `focus` as the photo's edges allow.
 * Without a focus it is the rectangle of torchvision's CenterCrop.
 */
export function squareCrop(width: number, height: number, focus: CropFocus = center): SquareCrop {
  const size = Math.min(width, height);
  return { x: place(width, size, focus.x), y: place(height, size, focus.y), size };
}

function place(length: number, size: number, focus: number): number {
  const start = roundHalfEven(focus * length - size / 2);
  return Math.min(Math.max(start, 0), length - size);
}

/** Python's round, which torchvision uses for the odd pixel. */
function roundHalfEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}
