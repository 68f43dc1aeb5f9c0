// The engine with the tiny model, for training.webgpu.spec.ts.
import {
  expectedRun,
  relativeDistance,
  sampleTiny,
  tinyPipeline,
  trainTiny,
  type TinyRunFixture,
} from '../../src/engine/testing/tiny-run';
import type { Pipeline } from '../../src/engine/pipeline';
import type { Tier } from '../../src/training/tier';
import { openRuntime } from '../../src/runtime/open-runtime';
import { answerWith } from './scenarios';

type Backend = 'webgpu' | 'wasm';

/** Kept from question to question, so that a shader is compiled once. */
const pipelines = new Map<Backend, Promise<Pipeline>>();

async function openPipeline(backend: Backend, fixture: TinyRunFixture): Promise<Pipeline> {
  const { runtime } = await openRuntime(backend, 'full');
  return tinyPipeline(runtime, fixture);
}

function pipelineOn(backend: Backend, fixture: TinyRunFixture): Promise<Pipeline> {
  const pipeline = pipelines.get(backend) ?? openPipeline(backend, fixture);
  pipelines.set(backend, pipeline);
  return pipeline;
}

const scenarios = {
  /** The fixture's steps on WebGPU: losses, and how far the change is from PyTorch's. */
  train: async ({ fixture, tier }: { fixture: TinyRunFixture; tier: Tier }) => {
    const pipeline = await pipelineOn('webgpu', fixture);
    const { change, ...run } = await trainTiny(pipeline, fixture, tier);
    const changeDistance = relativeDistance(change, expectedRun(fixture).change);
    return { ...run, changeDistance, backend: pipeline.runtime.backend };
  },
  /** The latents of two sampling steps. */
  sample: async ({ fixture, backend }: { fixture: TinyRunFixture; backend: Backend }) => {
    const pipeline = await pipelineOn(backend, fixture);
    const latents = [...(await sampleTiny(pipeline, fixture))];
    return { latents, backend: pipeline.runtime.backend };
  },
  /** The memory accounts once everything is given back. */
  dispose: async () => {
    const accounts: Readonly<Record<string, number>>[] = [];
    for (const pipeline of await Promise.all(pipelines.values())) {
      await pipeline.dispose();
      accounts.push(pipeline.runtime.memory());
      await pipeline.runtime.dispose();
    }
    return accounts;
  },
};
export type TrainingScenarios = typeof scenarios;

answerWith(scenarios);
