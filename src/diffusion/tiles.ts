// Decoding latents and encoding pictures tile by tile, so that a large picture needs no more memory than one tile: the maths of
// tiled_decode and _tiled_encode of diffusers' AutoencoderKL. Tiles overlap by a quarter, where one fades into the next. The outcome is
// not quite that of the whole at once, since each tile is normalised by itself.

/** Samples in planes: [planes, height, width], row-major. */
export type Planes = {
  readonly data: Float32Array<ArrayBuffer>;
  readonly planes: number;
  readonly height: number;
  readonly width: number;
};

const overlap = 0.25; // of a tile's side; diffusers' tile_overlap_factor

/**
 * `whole` by tiles of `side` samples (smaller at the right and bottom edges), each of which `pass` makes into one of `sideAfter` samples,
 * the smaller ones in proportion.
 */
export async function inTiles(
  whole: Planes,
  { side, sideAfter }: { readonly side: number; readonly sideAfter: number },
  pass: (tile: Planes) => Promise<Planes>,
): Promise<Planes> {
  const step = Math.floor(side * (1 - overlap)); // samples from tile to tile
  const blend = Math.floor(sideAfter * overlap);
  const kept = sideAfter - blend; // what stays of a tile: the rest fades into the next
  const after = (samples: number) => (samples * sideAfter) / side;
  let result: Planes | undefined;
  let above: Planes[] = [];
  for (let y = 0; y < whole.height; y += step) {
    const row: Planes[] = [];
    for (let x = 0; x < whole.width; x += step) {
      const tile = await pass(crop(whole, y, x, side));
      const [upper, left] = [above[row.length], row.at(-1)];
      if (upper) fadeDown(upper, tile, blend);
      if (left) fadeRight(left, tile, blend);
      row.push(tile);
      result ??= blank(tile.planes, after(whole.height), after(whole.width));
      paste(crop(tile, 0, 0, kept), result, (y / step) * kept, (x / step) * kept);
    }
    above = row;
  }
  return result ?? whole;
}

/** The square [y, y + side) × [x, x + side), cut at the edges. */
function crop({ data, planes, height, width }: Planes, y: number, x: number, side: number): Planes {
  const part = blank(planes, Math.min(side, height - y), Math.min(side, width - x));
  for (let plane = 0; plane < planes; plane++)
    for (let row = 0; row < part.height; row++) {
      const start = (plane * height + y + row) * width + x;
      part.data.set(data.subarray(start, start + part.width), (plane * part.height + row) * part.width);
    }
  return part;
}

/** Writes `part` over `whole` at (y, x); what lies beyond its edges is left out. */
function paste(part: Planes, whole: Planes, y: number, x: number): void {
  const width = Math.min(part.width, whole.width - x);
  for (let plane = 0; plane < part.planes; plane++)
    for (let row = 0; row < Math.min(part.height, whole.height - y); row++) {
      const start = (plane * part.height + row) * part.width;
      const target = (plane * whole.height + y + row) * whole.width + x;
      whole.data.set(part.data.subarray(start, start + width), target);
    }
}

/** The first rows of `lower` become a fade from the last rows of `upper`. */
function fadeDown(upper: Planes, lower: Planes, extent: number): void {
  const rows = Math.min(upper.height, lower.height, extent);
  fade(upper, lower, rows, lower.width, (row) => row / rows, upper.height - rows, 0);
}

/** The first columns of `right` become a fade from the last columns of `left`. */
function fadeRight(left: Planes, right: Planes, extent: number): void {
  const columns = Math.min(left.width, right.width, extent);
  fade(left, right, right.height, columns, (_row, column) => column / columns, 0, left.width - columns);
}

/** Mixes the corner [rows, columns] of `to` with the samples of `from` that start at (y, x), by the share of `to`. */
function fade(
  from: Planes,
  to: Planes,
  rows: number,
  columns: number,
  share: (row: number, column: number) => number,
  y: number,
  x: number,
): void {
  for (let plane = 0; plane < to.planes; plane++)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const at = (plane * to.height + row) * to.width + column;
        const other = from.data[(plane * from.height + y + row) * from.width + x + column]!;
        const weight = share(row, column);
        to.data[at] = other * (1 - weight) + to.data[at]! * weight;
      }
}

const blank = (planes: number, height: number, width: number): Planes => ({
  data: new Float32Array(planes * height * width),
  planes,
  height,
  width,
});
