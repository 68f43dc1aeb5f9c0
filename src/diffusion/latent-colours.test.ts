import { expect, test } from 'vitest';
import { torchRandn } from '../base/random';
import { colourLatents, fitColours } from './latent-colours';
import type { Planes } from './tiles';

const [height, width, side] = [5, 7, 2];
const latents: Planes = { data: torchRandn(1, 4 * height * width), planes: 4, height, width };
const truth = [
  [0.3, -0.2, 0.1, 0.5, -0.1],
  [0, 1, 0, 0, 0.25],
  [-0.4, 0.2, 0.7, 0.1, 0],
];

/** A picture whose blocks have the mean that `truth` says, with a pattern of mean 0 on each. */
function pictureOf(blocks: Planes): Planes {
  const data = new Float32Array(3 * height * width * side ** 2);
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [i % (width * side), Math.floor(i / (width * side)) % (height * side)];
    const plane = Math.floor(i / (width * height * side ** 2));
    const block = (plane * height + Math.floor(y / side)) * width + Math.floor(x / side);
    data[i] = blocks.data[block]! + ((x + y) % 2 === 0 ? 0.2 : -0.2);
  }
  return { data, planes: 3, height: height * side, width: width * side };
}

test('a picture that is linear in its latents is found again', () => {
  const fit = fitColours(latents, pictureOf(colourLatents(truth, latents)));
  fit.forEach((row, i) => row.forEach((weight, j) => expect(weight).toBeCloseTo(truth[i]![j]!, 4)));
});

test('latents that are all alike give the mean colour', () => {
  const flat = { ...latents, data: new Float32Array(latents.data.length).fill(0.5) };
  const picture = pictureOf(colourLatents(truth, latents));
  const area = height * width * side ** 2;
  const colours = colourLatents(fitColours(flat, picture), flat);
  for (let plane = 0; plane < 3; plane++) {
    const mean = picture.data
      .subarray(plane * area, (plane + 1) * area)
      .reduce((sum, x) => sum + x / area, 0);
    expect(colours.data[plane * height * width]).toBeCloseTo(mean, 4);
  }
});
