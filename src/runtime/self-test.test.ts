import * as ort from 'onnxruntime-web';
import { beforeAll, expect, test } from 'vitest';
import { createGate } from '../base/gate';
import type { Runtime } from './runtime';
import { selfTest } from './self-test';
import { createWasmRuntime } from './wasm';

let runtime: Runtime;

beforeAll(() => {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  runtime = createWasmRuntime({ ort, gate: createGate(), threads: 1 });
});

test('a runtime that computes right passes and is left empty', async () => {
  expect(await selfTest(runtime)).toBe('');
  expect(runtime.memory()).toEqual({});
});

test.each([
  ['a wrong number', 0.01],
  ['a number that is none', NaN],
])('%s is found', async (_, wrong) => {
  const broken: Runtime = {
    ...runtime,
    read: async (tensor) => {
      const data = Float32Array.from((await runtime.read(tensor)) as Float32Array);
      if (tensor.shape.length === 4) data[7]! += wrong;
      return data;
    },
  };
  expect(await selfTest(broken)).toMatch(/^Conv is off by /);
});
