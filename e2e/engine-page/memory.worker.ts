// What a reduced Stable Diffusion holds on the GPU, buffer by buffer, for memory.webgpu.spec.ts.
import { configuredModel } from '../../src/engine/testing/configured-model';
import { loadAll, workOn, type Work } from '../../src/engine/testing/memory-works';
import { Pipeline } from '../../src/engine/pipeline';
import { openRuntime } from '../../src/runtime/open-runtime';
import { answerWith } from './scenarios';

type Configs = Parameters<typeof configuredModel>[0];

let liveBytes = 0;
let peakBytes = 0;

// every buffer of every device, whoever makes it
const createBuffer = Reflect.get(GPUDevice.prototype, 'createBuffer');
GPUDevice.prototype.createBuffer = function (descriptor) {
  const buffer = createBuffer.call(this, descriptor);
  const destroy = buffer.destroy.bind(buffer);
  let held = descriptor.size;
  liveBytes += held;
  peakBytes = Math.max(peakBytes, liveBytes);
  buffer.destroy = () => {
    liveBytes -= held;
    held = 0;
    destroy();
  };
  return buffer;
};

let opening: Promise<Pipeline> | undefined; // kept, so that a shader is compiled once

async function openPipeline(configs: Configs): Promise<Pipeline> {
  const { runtime } = await openRuntime('webgpu', 'full');
  const pipeline = new Pipeline(runtime, configuredModel(configs));
  await loadAll(pipeline);
  return pipeline;
}

const scenarios = {
  /** The most that was held during a piece of work, all weights included, and before and after it. */
  work: async ({ configs, work }: { configs: Configs; work: Work }) => {
    const pipeline = await (opening ??= openPipeline(configs));
    const beforeBytes = liveBytes;
    peakBytes = liveBytes;
    const worked = await workOn(pipeline, work);
    return { ...worked, peakBytes, beforeBytes, afterBytes: liveBytes };
  },
};
export type MemoryScenarios = typeof scenarios;

answerWith(scenarios);
