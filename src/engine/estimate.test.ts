import { beforeAll, describe, expect, test } from 'vitest';
import { packSize } from '../onnx/packing';
import { recipes, type TrainingSettings } from '../training/settings';
import type { BaseModel } from './base-model';
import { estimateTraining, trainingBytes } from './estimate';
import { Pipeline } from './pipeline';
import { bundledModel, openNodeRuntime } from './testing/bundled';
import type { Tier } from '../training/tier';
import { checkPlan, lossGraphOf, planTraining } from './training-plan';

const settings: TrainingSettings = { ...recipes().standard, targets: 'attention', rank: 4 };
let model: BaseModel;

beforeAll(async () => {
  model = await bundledModel();
});

const onGpu = { backend: 'webgpu', dispatchesHeld: 16 } as const;

const pipelineWith = (memoryLimitBytes: number) =>
  new Pipeline({ ...openNodeRuntime(), backend: 'webgpu', memoryLimitBytes }, model);
const estimate = (own: TrainingSettings, limit = 3.5e9, secondsPerStep?: number) => {
  const pipeline = pipelineWith(limit);
  return estimateTraining(pipeline, own, planTraining(pipeline, own), secondsPerStep);
};
const lossOf = (own: TrainingSettings, tier: Tier = 'fast') =>
  lossGraphOf(model, own, { weightType: 'float32', largestTensorBytes: Infinity }, tier);

describe('the memory of a step', () => {
  test('falls from tier to tier, and all hold the weights', () => {
    const weights = model.sources.unet.reduce(
      (sum, { shape }) => sum + 4 * shape.reduce((product, n) => product * n, 1),
      0,
    );
    const stepBytes = (tier: Tier) => trainingBytes(lossOf(settings, tier), tier, onGpu).peakBytes - weights;
    expect(stepBytes('balanced')).toBeLessThan(0.7 * stepBytes('fast'));
    expect(stepBytes('tight')).toBeLessThan(0.95 * stepBytes('balanced'));
    expect(stepBytes('tight')).toBeGreaterThan(1e6);
    const loss = lossOf(settings);
    const onWasm = { backend: 'wasm', dispatchesHeld: 0 } as const;
    const inNode = { backend: 'webgpu', dispatchesHeld: 0 } as const;
    const bytes = (place: typeof onWasm | typeof inNode) => trainingBytes(loss, 'fast', place).peakBytes;
    expect(bytes(onWasm) - bytes(inNode)).toBe(2 * weights);
  });

  test('grows with the batch and with the rank', () => {
    const bytes = (change: Partial<TrainingSettings>) =>
      trainingBytes(lossOf({ ...settings, ...change }), 'fast', onGpu).peakBytes;
    const more = lossOf({ ...settings, rank: 16 });
    const parameters = (packs: typeof more.packs) => packs.reduce((sum, pack) => sum + packSize(pack), 0);
    const added = parameters(more.packs) - parameters(lossOf(settings).packs);
    expect(bytes({ rank: 16 }) - bytes({})).toBeGreaterThan(7 * 4 * added); // θ, m and v twice, and the gradient
    expect(bytes({ batchSize: 4 })).toBeGreaterThan(1.5 * bytes({ batchSize: 1 }));
  });
});

describe('the tier', () => {
  const tierAt = (limit: number, own = settings) => planTraining(pipelineWith(limit), own).tier;
  const neededIn = (memoryTier: Tier) => estimate({ ...settings, memoryTier }).memoryBytes;

  test('is the fastest that fits, the smallest where none does', () => {
    expect(tierAt(neededIn('fast'))).toBe('fast');
    expect(tierAt(neededIn('fast') - 1)).toBe('balanced');
    expect(tierAt(neededIn('balanced'))).toBe('balanced');
    expect(tierAt(neededIn('balanced') - 1)).toBe('tight');
    expect(tierAt(1)).toBe('tight');
  });

  test('is what was asked for, whatever the limit', () => {
    expect(tierAt(1, { ...settings, memoryTier: 'fast' })).toBe('fast');
    expect(tierAt(1e12, { ...settings, memoryTier: 'balanced' })).toBe('balanced');
  });
});

describe('the estimate', () => {
  test('counts what is trained', () => {
    const own = lossOf(settings).packs.flatMap(({ members }) => members);
    const parameters = own.reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
    const { trainedParameters, loraFileBytes } = estimate(settings);
    expect(trainedParameters).toBe(parameters);
    expect(loraFileBytes).toBe(4 * parameters);
    expect(estimate({ ...settings, rank: 8 }).trainedParameters).toBe(2 * parameters);
  });

  test('says whether it fits', () => {
    const { memoryBytes, fits } = estimate(settings);
    expect(fits).toBe(true);
    expect(memoryBytes).toBeGreaterThan(200e6);
    expect(memoryBytes).toBeLessThan(1e9);
    expect(estimate(settings, 100e6)).toMatchObject({
      fits: false,
      tier: 'tight',
      memoryLimitBytes: 100e6,
    });
  });

  test('refuses a tensor that the device cannot bind, before anything starts', () => {
    const { tensorBytes } = estimate(settings);
    const narrow = (largestTensorBytes: number) => {
      const pipeline = new Pipeline({ ...openNodeRuntime(), largestTensorBytes }, model);
      const plan = planTraining(pipeline, settings);
      return { pipeline, plan, told: estimateTraining(pipeline, settings, plan, undefined) };
    };
    expect(narrow(tensorBytes).told.fits).toBe(true);
    const { pipeline, plan, told } = narrow(1e4);
    expect(told.fits).toBe(false);
    expect(told.memoryBytes).toBeLessThan(told.memoryLimitBytes);
    expect(() => {
      checkPlan(plan, pipeline.runtime);
    }).toThrow(
      expect.objectContaining({
        details: { what: 'training', tensorBytes: plan.tensorBytes, tensorLimitBytes: 1e4 },
      }),
    );
  });

  test('knows no time before a step was measured, then that of steps, class pictures, previews and evaluations', () => {
    expect(estimate(settings)).toMatchObject({ secondsPerStep: undefined, secondsTotal: undefined });
    const bare = { ...settings, steps: 100, priorPreservation: false, previewEvery: 0, evaluateEvery: 0 };
    expect(estimate(bare, 3.5e9, 0.5).secondsTotal).toBe(50);
    // a step of one photo is 3 passes; a preview is 12 steps of 2 passes, at steps 0, 50 and 100; an evaluation is 4 passes
    expect(estimate({ ...bare, previewEvery: 50 }, 3.5e9, 0.5).secondsTotal).toBeCloseTo(
      50 + (0.5 * 3 * 24) / 3,
    );
    expect(estimate({ ...bare, evaluateEvery: 50 }, 3.5e9, 0.5).secondsTotal).toBeCloseTo(
      50 + (0.5 * 3 * 4) / 3,
    );
    // a step with a class picture is 6; 8 pictures of 12 steps with guidance
    const prior = { ...bare, priorPreservation: true, classImages: 8, classImageSteps: 12 };
    expect(estimate(prior, 3.5e9, 0.5).secondsTotal).toBeCloseTo(50 + (0.5 * 8 * 12 * 2) / 6);
  });
});
