// Rough colours of a picture straight from its latents: each pixel's as a linear function of its latents, fitted by least squares to a
// picture that the model's own decoder made. A preview that costs nothing, of one pixel a latent.
import { assert } from '../base/assert';
import type { Planes } from './tiles';

/** One row a colour: a weight for each channel of the latents, and the constant. */
export type LatentColours = readonly (readonly number[])[];

/**
 * The fit of `picture` [planes, k·h, k·w] to `latents` [c, h, w]: what it says of a latent is nearest to the mean of its k × k pixels.
 * A trace of ridge keeps it defined where the latents are all alike.
 */
export function fitColours(latents: Planes, picture: Planes): LatentColours {
  const { planes: channels, height, width } = latents;
  const area = height * width;
  const unknowns = channels + 1;
  const feature = (i: number, at: number) => (i < channels ? latents.data[i * area + at]! : 1);
  const normal = Array.from({ length: unknowns }, (_, i) =>
    Array.from({ length: unknowns }, (_, j) => sumOver(area, (at) => feature(i, at) * feature(j, at))),
  );
  for (let i = 0; i < channels; i++) normal[i]![i]! += 1e-6 * area;
  return Array.from({ length: picture.planes }, (_, plane) => {
    const means = blockMeans(picture, plane, width, picture.width / width);
    assert(means.length === area, `${picture.width} × ${picture.height} for ${width} × ${height} latents`);
    return solve(
      normal,
      Array.from({ length: unknowns }, (_, i) => sumOver(area, (at) => feature(i, at) * means[at]!)),
    );
  });
}

/** The colours of `latents`, one plane a colour. */
export function colourLatents(colours: LatentColours, { data, planes, height, width }: Planes): Planes {
  const area = height * width;
  const picture = new Float32Array(colours.length * area);
  colours.forEach((weights, plane) => {
    for (let at = 0; at < area; at++) {
      let level = weights[planes]!;
      for (let i = 0; i < planes; i++) level += weights[i]! * data[i * area + at]!;
      picture[plane * area + at] = level;
    }
  });
  return { data: picture, planes: colours.length, height, width };
}

/** The mean of each `side` × `side` block of a plane, `columns` blocks a row. */
function blockMeans({ data, height, width }: Planes, plane: number, columns: number, side: number): number[] {
  const means = Array<number>((height / side) * columns).fill(0);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      means[Math.floor(y / side) * columns + Math.floor(x / side)]! +=
        data[(plane * height + y) * width + x]! / side ** 2;
  return means;
}

function sumOver(count: number, term: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += term(i);
  return sum;
}

/** x of A x = b for a symmetric positive A, by Gaussian elimination. */
function solve(a: readonly (readonly number[])[], b: readonly number[]): number[] {
  const rows = a.map((row, i) => [...row, b[i]!]);
  rows.forEach((pivot, i) => {
    for (const row of rows.slice(i + 1)) {
      const factor = row[i]! / pivot[i]!;
      for (let j = i; j < row.length; j++) row[j]! -= factor * pivot[j]!;
    }
  });
  const x = [...b];
  for (let i = rows.length - 1; i >= 0; i--) {
    const row = rows[i]!;
    const known = sumOver(rows.length - i - 1, (k) => row[i + 1 + k]! * x[i + 1 + k]!);
    x[i] = (row.at(-1)! - known) / row[i]!;
  }
  return x;
}
