// The batch of a training step as a pure function of (data, seed, step): order, mirroring, time steps and noise come from a
// counter-based generator, so a resumed run needs no generator state and goes on with the same numbers.
import { counterInteger, counterNormals, counterPermutation, counterUniform } from '../base/random';
import { addNoiseCoefficients, targetCoefficients, type NoiseSchedule } from '../diffusion/schedule';
import type { TrainingSettings } from './settings';

/** Encoded picture: the mean of the posterior, and its deviation where the autoencoder has one (AutoencoderKL). Scaled. */
export type Latents = { readonly mean: Float32Array; readonly deviation: Float32Array | undefined };

/** What the text encoder makes of a caption; token ids instead where the text encoder is trained too. */
export type Caption = { readonly context: Float32Array } | { readonly ids: Int32Array };

export type DreamboothData = {
  readonly photos: readonly {
    readonly plain: Latents;
    readonly mirrored: Latents;
    readonly caption: Caption;
  }[];
  /** Pictures of the class that the model drew itself; empty without prior preservation. */
  readonly classImages: readonly Latents[];
  readonly classCaption: Caption | undefined;
};

/** Everything that one step is fed, photos first, then class pictures. */
export type Batch = {
  readonly size: number;
  readonly sample: Float32Array<ArrayBuffer>; // noisy latents
  readonly target: Float32Array<ArrayBuffer>;
  readonly timesteps: readonly number[];
  readonly captions: readonly Caption[];
  readonly sampleWeights: Float32Array<ArrayBuffer>;
};

type Item = { readonly latents: Latents; readonly caption: Caption; readonly weight: number };

/** Photos and class pictures that a step takes together. */
export const batchSizeOf = (settings: TrainingSettings): number =>
  settings.batchSize * (settings.priorPreservation ? 2 : 1);

/** The batch of 0-based `step`. */
export function batchAt(
  data: DreamboothData,
  schedule: NoiseSchedule,
  settings: TrainingSettings,
  step: number,
): Batch {
  const { seed, batchSize, flip, priorPreservation, priorLossWeight } = settings;
  const items: Item[] = [];
  for (let i = 0; i < batchSize; i++) {
    const photo = data.photos[shuffled(seed, 'order', step * batchSize + i, data.photos.length)]!;
    const isMirrored = flip && counterUniform(seed, 'flip', step, i) < 0.5;
    items.push({
      latents: isMirrored ? photo.mirrored : photo.plain,
      caption: photo.caption,
      weight: 1 / batchSize,
    });
  }
  for (let i = 0; priorPreservation && i < batchSize; i++) {
    const latents =
      data.classImages[shuffled(seed, 'class-order', step * batchSize + i, data.classImages.length)]!;
    items.push({ latents, caption: data.classCaption!, weight: priorLossWeight / batchSize });
  }
  const timesteps = items.map((_, i) => counterInteger(seed, 'timestep', step, schedule.trainStepCount, i));
  return noisyBatch(items, schedule, timesteps, { seed, stream: 'noise', step });
}

/** Rounds of the evaluation set; each takes every place of a batch once. */
export const evaluationRounds = 4;

/**
 * Batch `round` of the fixed evaluation set: photos in turn, time steps spread evenly over the schedule, noise of its own. The
 * loss on it moves with the weights alone.
 */
export function evaluationBatchAt(
  data: DreamboothData,
  schedule: NoiseSchedule,
  settings: TrainingSettings,
  round: number,
): Batch {
  const size = batchSizeOf(settings); // the shape that the step's graph was made for
  const items = Array.from({ length: size }, (_, i): Item => {
    const photo = data.photos[(round * size + i) % data.photos.length]!;
    return { latents: photo.plain, caption: photo.caption, weight: 1 / size };
  });
  const places = size * evaluationRounds;
  const timesteps = items.map((_, i) =>
    Math.floor(((round + i * evaluationRounds + 0.5) / places) * schedule.trainStepCount),
  );
  return noisyBatch(items, schedule, timesteps, { seed: settings.seed, stream: 'evaluation', step: round });
}

/** The item at `position` of an endless sequence that goes through all `count` items in a new order each epoch. */
function shuffled(seed: number, stream: 'order' | 'class-order', position: number, count: number): number {
  return counterPermutation(seed, stream, Math.floor(position / count), count)[position % count]!;
}

function noisyBatch(
  items: readonly Item[],
  schedule: NoiseSchedule,
  timesteps: readonly number[],
  draw: { seed: number; stream: 'noise' | 'evaluation'; step: number },
): Batch {
  const length = items[0]!.latents.mean.length;
  const total = items.length * length;
  const noise = counterNormals(draw.seed, draw.stream, draw.step, total);
  const needsPosterior = items.some(({ latents }) => latents.deviation);
  const posterior = needsPosterior ? counterNormals(draw.seed, 'latent', draw.step, total) : undefined;
  const sample = new Float32Array(total);
  const target = new Float32Array(total);
  items.forEach(({ latents }, row) => {
    const mix = addNoiseCoefficients(schedule, timesteps[row]!);
    const goal = targetCoefficients(schedule, timesteps[row]!);
    for (let i = 0, at = row * length; i < length; i++, at++) {
      const deviation = latents.deviation ? latents.deviation[i]! * posterior![at]! : 0;
      const clean = latents.mean[i]! + deviation;
      sample[at] = mix.x0 * clean + mix.noise * noise[at]!;
      target[at] = goal.x0 * clean + goal.noise * noise[at]!;
    }
  });
  return {
    size: items.length,
    sample,
    target,
    timesteps,
    captions: items.map(({ caption }) => caption),
    sampleWeights: Float32Array.from(items, ({ weight }) => weight),
  };
}
