// The graphs that the rules make, run by ONNX Runtime: on the CPU, and on WebGPU where the machine has a Vulkan driver, without
// the CPU's help (so each op that they use has a WebGPU kernel). A software driver will do: for Chromium's SwiftShader, set
// LD_LIBRARY_PATH to the folder of its libvulkan.so.1 and VK_ICD_FILENAMES to its vk_swiftshader_icd.json.
import * as ort from 'onnxruntime-node';
import { afterAll, describe, expect, test } from 'vitest';
import { encodeModel } from '../../onnx/encode';
import type { Graph } from '../../onnx/graph';
import { runModel, worstError } from '../../onnx/testing/onnxruntime';
import { interpret } from '../../onnx/testing/reference-interpreter';
import { buildSample, finishSample, forEachSample, titleOf } from '../../onnx/testing/sample-graph';
import type { Tensor } from '../../onnx/testing/tensor';
import { buildGradientSample, hasGradient } from '../testing/gradient-sample';

const webgpu: ort.InferenceSession.SessionOptions = {
  executionProviders: [{ name: 'webgpu', validationMode: 'basic' }],
  extra: { session: { disable_cpu_ep_fallback: '1' } },
};

async function errorOf(
  graph: Graph,
  feeds: Readonly<Record<string, Tensor>>,
  options?: ort.InferenceSession.SessionOptions,
): Promise<number> {
  const model = encodeModel(graph, { parametersAs: 'inputs' });
  const actual = await runModel(ort, model, [...graph.inputs, ...graph.parameters], feeds, options);
  return worstError(actual, interpret(graph, feeds));
}

/** A session that keeps the device and its compiled shaders while the tests run; or why there is none. */
async function openWebgpu(): Promise<ort.InferenceSession | string> {
  const graph = finishSample(buildSample('Neg', { attributes: {}, inputs: [{ shape: [4] }] }));
  try {
    return await ort.InferenceSession.create(encodeModel(graph, { parametersAs: 'inputs' }), webgpu);
  } catch (error) {
    return (error as Error).message.split('\n')[0]!.slice(-60);
  }
}

describe('gradient graphs on the CPU', () => {
  forEachSample((op, sample) => {
    if (!hasGradient(op, sample)) return;
    test(titleOf(op, sample), async () => {
      const { gradient, feeds } = buildGradientSample(op, sample);
      expect(await errorOf(gradient, feeds)).toBeLessThanOrEqual(1e-5);
    });
  });
});

const device = await openWebgpu();
afterAll(async () => {
  if (typeof device !== 'string') await device.release();
});

describe.skipIf(typeof device === 'string')(
  `on WebGPU ${typeof device === 'string' ? device : 'alone'}`,
  () => {
    forEachSample((op, sample) => {
      if (titleOf(op, sample).includes('float16')) return; // not every device has half precision
      test(`forward: ${titleOf(op, sample)}`, async () => {
        const built = buildSample(op, sample);
        expect(await errorOf(finishSample(built), built.feeds, webgpu)).toBeLessThanOrEqual(1e-5);
      });
      if (!hasGradient(op, sample)) return;
      test(`gradient: ${titleOf(op, sample)}`, async () => {
        const { gradient, feeds } = buildGradientSample(op, sample);
        expect(await errorOf(gradient, feeds, webgpu)).toBeLessThanOrEqual(1e-5);
      });
    });
  },
);
