// The whole training step on ONNX Runtime's WebAssembly against PyTorch: gradient, clipping and AdamW in every tier, and that nothing
// stays behind.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Runtime } from '../runtime/runtime';
import type { Pipeline } from './pipeline';
import { openNodeRuntime } from './testing/bundled';
import {
  expectedRun,
  relativeDistance,
  sampleTiny,
  tinyPipeline,
  trainTiny,
  type TinyRun,
  type TinyRunFixture,
} from './testing/tiny-run';
import { tierNames, type Tier } from '../training/tier';

const fixture = JSON.parse(
  readFileSync(new URL('../training/__fixtures__/training-run-tiny.json', import.meta.url), 'utf8'),
) as TinyRunFixture;
const wanted = expectedRun(fixture); // rounding alone is 2e-5 of the change (fixture: rounding)

const oneStep: TinyRunFixture = {
  ...fixture,
  inputs: { ...fixture.inputs, steps: fixture.inputs.steps.slice(0, 1) },
};

const runs = new Map<Tier, TinyRun>();
let runtime: Runtime;
let pipeline: Pipeline;

beforeAll(async () => {
  runtime = openNodeRuntime();
  pipeline = tinyPipeline(runtime, fixture);
  for (const tier of tierNames) runs.set(tier, await trainTiny(pipeline, fixture, tier));
});

afterAll(async () => {
  await runtime.dispose();
});

const worst = (found: readonly number[], expected: readonly number[]) =>
  Math.max(...expected.map((value, i) => Math.abs(found[i]! / value - 1)));

describe.each(tierNames)('three steps in tier %s', (tier) => {
  test('have the losses and gradient norms of PyTorch', () => {
    const run = runs.get(tier)!;
    expect(run.losses).toHaveLength(3);
    expect(worst(run.losses, wanted.losses)).toBeLessThan(1e-4);
    expect(worst(run.gradNorms, wanted.gradNorms)).toBeLessThan(1e-4);
  });

  test('change every matrix as torch.optim.AdamW does', () => {
    const run = runs.get(tier)!;
    expect(relativeDistance(run.change, wanted.change)).toBeLessThan(1e-3);
    expect(worst([run.lossAfterwards], [wanted.lossAfterwards])).toBeLessThan(1e-4);
  });
});

test.each(['balanced', 'tight'] as const)('tier %s trains as the fast one', (tier) => {
  expect(relativeDistance(runs.get(tier)!.change, runs.get('fast')!.change)).toBeLessThan(1e-5);
});

test('a run leaves nothing but the weights on the runtime, and they go with the pipeline', async () => {
  await sampleTiny(pipeline, fixture);
  await pipeline.drop('');
  expect(Object.keys(runtime.memory())).toEqual(['unet weights']);
  await pipeline.dispose();
  expect(runtime.memory()).toEqual({});
});

test.each([...tierNames, 'sampling'] as const)(
  'whichever call fails, nothing stays behind: %s',
  async (work) => {
    for (let failing = 1; ; failing += stride[work]) {
      const inner = openNodeRuntime();
      const fragile = tinyPipeline(breakRun(inner, failing), fixture);
      const job = work === 'sampling' ? sampleTiny(fragile, fixture) : trainTiny(fragile, oneStep, work);
      const broke = await job.then(
        () => false,
        (error: unknown) => (error as Error).message === 'broken',
      );
      await fragile.dispose();
      expect([failing, inner.memory()]).toEqual([failing, {}]);
      if (!broke) return expect(failing).toBeGreaterThan(3); // the calls of a whole job
    }
  },
);

/** Every how many calls one fails: all of the jobs with few calls. */
const stride = { fast: 1, sampling: 1, balanced: 3, tight: 20 } as const;

/** `runtime`, whose run number `failing` (1-based, of all programs together) rejects. */
function breakRun(runtime: Runtime, failing: number): Runtime {
  let count = 0;
  return {
    ...runtime,
    compile: async (label, graph, parameters) => {
      const program = await runtime.compile(label, graph, parameters);
      const run: typeof program.run = (inputs, into) =>
        ++count === failing ? Promise.reject(new Error('broken')) : program.run(inputs, into);
      return { ...program, run };
    },
  };
}
