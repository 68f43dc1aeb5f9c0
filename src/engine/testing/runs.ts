// Stored runs on the bundled model, with photos that are latents already: Node has no picture decoder.
import { counterNormals } from '../../base/random';
import { putLatents } from '../../storage/latents';
import { saveRun, type Run } from '../../storage/runs';
import { photoKey } from '../training-data';
import { bundledModel } from './bundled';
import { recipes, type TrainingSettings } from '../../training/settings';

const latentSize = 4 * 16 * 16;

/** A short run: attention LoRA of rank 4, one photo and one class picture a step. */
export const shortSettings: TrainingSettings = {
  ...recipes().standard,
  steps: 12,
  learningRate: 2e-3,
  lrScheduler: 'constant',
  rank: 4,
  targets: 'attention',
  classImages: 4,
  classImageSteps: 3,
  checkpointEvery: 3,
  previewEvery: 0,
  evaluateEvery: 12,
  seed: 7,
};

/** Stores a run of two photos under `id`. */
export async function storeRun(id: string, settings: TrainingSettings = shortSettings): Promise<Run> {
  const run: Run = {
    version: 1,
    id,
    name: 'My toy',
    createdAt: 1,
    updatedAt: 2,
    modelId: 'bundled',
    subjectWord: 'sks',
    className: 'toy',
    photos: ['a', 'b'].map((photo) => ({
      id: photo,
      name: `${photo}.jpg`,
      type: 'image/jpeg',
      file: new Blob(['x']),
      width: 64,
      height: 64,
      caption: 'a photo of a sks toy',
      thumbnail: new Blob(['x']),
    })),
    settings,
    state: 'running',
    step: 0,
  };
  await saveRun(run);
  for (const [i, photo] of run.photos.entries()) {
    const data = new Float32Array(2 * latentSize);
    data.set(counterNormals(i, 'latent', 0, latentSize).map((x, at) => 0.3 * x + Math.sin(at / 40)));
    for (let at = 0; at < latentSize; at++)
      data[latentSize + at] = data[16 * Math.floor(at / 16) + 15 - (at % 16)]!;
    await putLatents(photoKey(await bundledModel(), id, photo.id), { shape: [2, latentSize], data });
  }
  return run;
}
