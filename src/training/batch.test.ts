import { describe, expect, test } from 'vitest';
import { counterNormals } from '../base/random';
import { addNoiseCoefficients, parseSchedule, targetCoefficients } from '../diffusion/schedule';
import {
  batchAt,
  batchSizeOf,
  evaluationBatchAt,
  evaluationRounds,
  type DreamboothData,
  type Latents,
} from './batch';
import { recipes, type TrainingSettings } from './settings';

const schedule = parseSchedule({ prediction_type: 'v_prediction', beta_schedule: 'scaled_linear' });
const length = 8;
const flat = (value: number): Latents => ({
  mean: new Float32Array(length).fill(value),
  deviation: undefined,
});
const captionOf = (id: number) => ({ context: Float32Array.of(id) });

// photo i is all i + 1, its mirror image all −(i + 1), class picture i all 100 + i
const photosOf = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    plain: flat(i + 1),
    mirrored: flat(-(i + 1)),
    caption: captionOf(i),
  }));
const data: DreamboothData = {
  photos: photosOf(5),
  classImages: Array.from({ length: 3 }, (_, i) => flat(100 + i)),
  classCaption: captionOf(99),
};
const settings: TrainingSettings = { ...recipes().standard, seed: 3, batchSize: 2, priorLossWeight: 0.5 };

/** The clean latents and the noise of a row, found from sample and target (for velocities the mix is a rotation). */
function unmix(batch: ReturnType<typeof batchAt>, row: number) {
  const { x0, noise } = addNoiseCoefficients(schedule, batch.timesteps[row]!);
  const at = (i: number) => [batch.sample[row * length + i]!, batch.target[row * length + i]!] as const;
  return Array.from({ length }, (_, i) => {
    const [sample, target] = at(i);
    return { clean: x0 * sample - noise * target, noise: noise * sample + x0 * target };
  });
}
const cleanOf = (batch: ReturnType<typeof batchAt>, row: number) => Math.round(unmix(batch, row)[0]!.clean);

describe('batchAt', () => {
  test('is a function of seed and step alone', () => {
    const at = (step: number, seed = 3) => batchAt(data, schedule, { ...settings, seed }, step);
    expect(at(4)).toEqual(at(4));
    expect(at(4).sample).not.toEqual(at(5).sample);
    expect(at(4).sample).not.toEqual(at(4, 4).sample);
    expect(at(4).timesteps).not.toEqual(at(5).timesteps);
  });

  test('mixes photo and noise, and aims, as the schedule says', () => {
    const batch = batchAt(data, schedule, settings, 17);
    const noise = counterNormals(3, 'noise', 17, 4 * length);
    for (let row = 0; row < 4; row++) {
      const clean = cleanOf(batch, row);
      const mix = addNoiseCoefficients(schedule, batch.timesteps[row]!);
      const goal = targetCoefficients(schedule, batch.timesteps[row]!);
      for (let i = row * length; i < (row + 1) * length; i++) {
        expect(batch.sample[i]).toBe(Math.fround(mix.x0 * clean + mix.noise * noise[i]!));
        expect(batch.target[i]).toBe(Math.fround(goal.x0 * clean + goal.noise * noise[i]!));
      }
    }
  });

  test('visits every photo once an epoch, in another order each epoch, also where batches do not divide it', () => {
    const visited = Array.from({ length: 10 }, (_, step) => batchAt(data, schedule, settings, step)).flatMap(
      (batch) => [0, 1].map((row) => Math.abs(cleanOf(batch, row))),
    );
    const epochs = [0, 1, 2, 3].map((epoch) => visited.slice(5 * epoch, 5 * epoch + 5));
    for (const epoch of epochs) expect([...epoch].sort()).toEqual([1, 2, 3, 4, 5]);
    expect(new Set(epochs.map(String)).size).toBeGreaterThan(1);
  });

  test('mirrors half of the photos at each place of the batch, and none without flip', () => {
    const mirrored = (flip: boolean, row: number) =>
      Array.from({ length: 400 }, (_, step) =>
        cleanOf(batchAt(data, schedule, { ...settings, flip }, step), row),
      ).filter((value) => value < 0).length;
    for (const row of [0, 1]) {
      expect(Math.abs(mirrored(true, row) - 200)).toBeLessThan(40); // 4 standard deviations
      expect(mirrored(false, row)).toBe(0);
    }
  });

  test('draws time steps from the whole schedule', () => {
    const timesteps = Array.from({ length: 500 }, (_, step) =>
      batchAt(data, schedule, settings, step),
    ).flatMap((batch) => batch.timesteps);
    expect(timesteps.every((t) => Number.isInteger(t) && t >= 0 && t < 1000)).toBe(true);
    const mean = timesteps.reduce((sum, t) => sum + t, 0) / timesteps.length;
    expect(Math.abs(mean - 499.5)).toBeLessThan(30); // 289 / √2000 is 6.5
    expect(Math.min(...timesteps)).toBeLessThan(10);
    expect(Math.max(...timesteps)).toBeGreaterThan(989);
  });

  test('puts class pictures with their weight and caption behind the photos', () => {
    const batch = batchAt(data, schedule, settings, 6);
    expect(batch.size).toBe(4);
    expect(batchSizeOf(settings)).toBe(4);
    expect([...batch.sampleWeights]).toEqual([0.5, 0.5, 0.25, 0.25]);
    expect([2, 3].map((row) => cleanOf(batch, row)).every((value) => value >= 100 && value <= 102)).toBe(
      true,
    );
    expect(batch.captions.slice(2)).toEqual([captionOf(99), captionOf(99)]);
    for (const row of [0, 1])
      expect(batch.captions[row]).toEqual(captionOf(Math.abs(cleanOf(batch, row)) - 1));
  });

  test('is photos alone without prior preservation', () => {
    const alone = { ...settings, priorPreservation: false };
    const batch = batchAt({ ...data, classImages: [] }, schedule, alone, 6);
    expect(batch.size).toBe(2);
    expect([...batch.sampleWeights]).toEqual([0.5, 0.5]);
    expect(batch.sample).toHaveLength(2 * length);
  });

  test('draws the posterior of an autoencoder that has one anew at every step', () => {
    const plain = { mean: new Float32Array(length).fill(2), deviation: new Float32Array(length).fill(0.1) };
    const photos = [{ plain, mirrored: plain, caption: captionOf(0) }];
    const alone = { ...settings, batchSize: 1, priorPreservation: false };
    const offsets = (step: number) =>
      unmix(batchAt({ photos, classImages: [], classCaption: undefined }, schedule, alone, step), 0).map(
        ({ clean }) => (clean - 2) / 0.1,
      );
    const normals = counterNormals(3, 'latent', 5, length);
    offsets(5).forEach((offset, i) => {
      expect(offset).toBeCloseTo(normals[i]!, 4);
    });
    expect(offsets(6)).not.toEqual(offsets(5));
  });
});

describe('the evaluation set', () => {
  const rounds = (seed = 3, photos = 5) =>
    Array.from({ length: evaluationRounds }, (_, round) =>
      evaluationBatchAt({ ...data, photos: photosOf(photos) }, schedule, { ...settings, seed }, round),
    );

  test('is the same every time and has no mirror images and no class pictures', () => {
    expect(rounds()).toEqual(rounds());
    expect(rounds(4)[0]!.sample).not.toEqual(rounds()[0]!.sample);
    const clean = rounds().flatMap((batch) => [0, 1, 2, 3].map((row) => cleanOf(batch, row)));
    expect(clean).toEqual([1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1]);
    expect(rounds().every(({ sampleWeights }) => sampleWeights.every((weight) => weight === 0.25))).toBe(
      true,
    );
  });

  test('spreads its time steps evenly over the schedule', () => {
    const timesteps = rounds().flatMap((batch) => batch.timesteps);
    const sorted = [...timesteps].sort((a, b) => a - b);
    expect(sorted).toEqual(Array.from({ length: 16 }, (_, i) => Math.floor(((i + 0.5) / 16) * 1000)));
  });

  test('has noise of its own', () => {
    const trained = unmix(batchAt(data, schedule, settings, 0), 0).map(({ noise }) => noise);
    const evaluated = unmix(rounds()[0]!, 0).map(({ noise }) => noise);
    expect(Math.max(...evaluated.map((x, i) => Math.abs(x - trained[i]!)))).toBeGreaterThan(0.1);
  });
});
