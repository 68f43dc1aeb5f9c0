// The mask's canvas: transparent where the picture stays, of one colour where it is painted; and the file made of it. It covers the
// whole picture, of which the page shows the middle part that is drawn from, so that it stays right when the drawing's aspect changes.
export type Point = { readonly x: number; readonly y: number }; // fractions of width and height, of what is shown

const longestSide = 1024; // finer than latents ever are
const paint = '#ff2d6f';

/** Gives the canvas the picture's aspect and paints the mask that was kept. */
export async function fillCanvas(
  canvas: HTMLCanvasElement,
  picture: Blob,
  mask: Blob | undefined,
  signal: AbortSignal,
): Promise<void> {
  const bitmap = await createImageBitmap(picture).catch(() => undefined); // the engine says what is wrong with it
  if (!bitmap || signal.aborted) return;
  const scale = Math.min(1, longestSide / Math.max(bitmap.width, bitmap.height));
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  bitmap.close();
  const context = canvas.getContext('2d');
  if (!mask || !context) return;
  const kept = await createImageBitmap(mask);
  if (signal.aborted) return;
  context.drawImage(kept, 0, 0, canvas.width, canvas.height);
  const image = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < image.data.length; i += 4) image.data[i + 3] = image.data[i]!; // white is opaque
  context.putImageData(image, 0, 0);
  context.globalCompositeOperation = 'source-in';
  context.fillStyle = paint;
  context.fillRect(0, 0, canvas.width, canvas.height);
}

/** The middle of the canvas, of the asked aspect (width / height), in its pixels. */
function shownPart({ width, height }: HTMLCanvasElement, aspect: number) {
  const [w, h] = [Math.min(width, height * aspect), Math.min(height, width / aspect)];
  return { x: (width - w) / 2, y: (height - h) / 2, width: w, height: h };
}

/** One stretch of a stroke; `size` is its width as a part of the width that is shown, which has the asked aspect. */
export function paintLine(
  canvas: HTMLCanvasElement,
  from: Point,
  to: Point,
  {
    size,
    isErasing,
    aspect,
  }: { readonly size: number; readonly isErasing: boolean; readonly aspect: number },
): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const shown = shownPart(canvas, aspect);
  context.globalCompositeOperation = isErasing ? 'destination-out' : 'source-over';
  context.strokeStyle = paint;
  context.lineCap = 'round';
  context.lineWidth = size * shown.width;
  context.beginPath();
  context.moveTo(shown.x + from.x * shown.width, shown.y + from.y * shown.height);
  context.lineTo(shown.x + to.x * shown.width, shown.y + to.y * shown.height);
  context.stroke();
}

/** Paints what is not painted, and the other way round. */
export function invertMask(canvas: HTMLCanvasElement): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  context.globalCompositeOperation = 'xor';
  context.fillStyle = paint;
  context.fillRect(0, 0, canvas.width, canvas.height);
}

/** White on black as a PNG, or undefined where nothing is painted. */
export async function maskOf(canvas: HTMLCanvasElement): Promise<Blob | undefined> {
  const { width, height } = canvas;
  const painted = canvas.getContext('2d')?.getImageData(0, 0, width, height);
  if (!painted) return undefined;
  const { data } = painted;
  let isEmpty = true;
  for (let i = 0; i < data.length; i += 4) {
    const level = data[i + 3]!;
    if (level >= 128) isEmpty = false;
    data.fill(level, i, i + 3);
    data[i + 3] = 255;
  }
  if (isEmpty) return undefined;
  const file = new OffscreenCanvas(width, height);
  file.getContext('2d')?.putImageData(painted, 0, 0);
  return file.convertToBlob({ type: 'image/png' });
}
