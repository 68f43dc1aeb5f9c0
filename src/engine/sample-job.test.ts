// How many pictures one UNet call draws, by the memory that there is.
import { expect, test } from 'vitest';
import type { Runtime } from '../runtime/runtime';
import type { SampleRequest } from './contract';
import { Pipeline } from './pipeline';
import { advisedBatchSize, drawImages } from './sample-job';
import { samplingMemory } from './sampling-memory';
import { bundledModel, openNodeRuntime } from './testing/bundled';
import { decodePngInNode, encodePngInNode } from './testing/png';

const pipelineWith = async (change: Partial<Runtime>) =>
  new Pipeline({ ...openNodeRuntime(), ...change }, await bundledModel());

const request: SampleRequest = {
  prompt: 'a ball',
  negativePrompt: '',
  promptSyntax: 'plain',
  subjectId: undefined,
  checkpointStep: undefined,
  subjectStrength: 1,
  steps: 1,
  guidance: 4,
  seed: 1,
  width: 64,
  height: 64,
  images: 5,
  batchSize: 4,
  sampler: 'ddim',
  sigmas: 'schedule',
  livePreview: false,
};

test('a batch is halved until memory has room for it; what does not fit alone is refused', async () => {
  const bytes = async (n: number) =>
    samplingMemory(await pipelineWith({}), { shape: [n, 4, 16, 16], guided: true });
  const batches = async (change: Partial<SampleRequest>, memoryLimitBytes: number) => {
    const pipeline = await pipelineWith({ memoryLimitBytes });
    const platform = { encodePng: encodePngInNode, decodePicture: decodePngInNode, now: () => 0 };
    const seen: number[] = [];
    const asked = { ...request, ...change };
    for await (const event of drawImages(pipeline, asked, new AbortController().signal, platform))
      if (event.kind === 'step-end') seen.push(event.batch);
    await pipeline.dispose();
    return seen;
  };
  expect(await batches({}, await bytes(4))).toEqual([4, 1]);
  expect(await batches({}, (await bytes(4)) - 1)).toEqual([2, 2, 1]);
  expect(await batches({ images: 2 }, (await bytes(2)) - 1)).toEqual([1, 1]);
  await expect(batches({}, (await bytes(1)) - 1)).rejects.toMatchObject({ code: 'out-of-memory' });
  for (const batchSize of [0, 17, 1.5])
    await expect(batches({ batchSize }, Infinity)).rejects.toMatchObject({
      code: 'bad-settings',
      details: { setting: 'batchSize' },
    });
});

test('a GPU is advised a batch that leaves half of its memory, a processor none', async () => {
  const advised = async (change: Partial<Runtime>) => advisedBatchSize(await pipelineWith(change));
  const webgpu = { backend: 'webgpu' } as const;
  const bytes = samplingMemory(await pipelineWith(webgpu), { shape: [4, 4, 16, 16], guided: true });
  expect(await advised({})).toBe(1);
  expect(await advised({ ...webgpu, memoryLimitBytes: 2 * bytes })).toBe(4);
  expect(await advised({ ...webgpu, memoryLimitBytes: 2 * bytes - 1 })).toBe(2);
  expect(await advised({ ...webgpu, memoryLimitBytes: 1 })).toBe(1);
});
