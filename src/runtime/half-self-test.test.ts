import * as ort from 'onnxruntime-web';
import { beforeAll, expect, test } from 'vitest';
import { createGate } from '../base/gate';
import { halfSelfTest } from './half-self-test';
import type { Program, Runtime } from './runtime';
import { createWasmRuntime } from './wasm';

let runtime: Runtime;

beforeAll(() => {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  runtime = createWasmRuntime({ ort, gate: createGate(), threads: 1 });
});

test('a runtime whose float16 is near its float32 passes and is left empty', async () => {
  expect(await halfSelfTest(runtime)).toBe('');
  expect(runtime.memory()).toEqual({});
});

test.each([
  ['a result that is off', (x: number) => 1.05 * x],
  ['a number that is none', (_: number, i: number) => (i === 3 ? NaN : 0)],
])('%s is found', async (_, change) => {
  const broken: Runtime = {
    ...runtime,
    compile: async (label, graph, parameters): Promise<Program> => {
      const program = await runtime.compile(label, graph, parameters);
      if (!graph.name.endsWith('float16') || !graph.nodes.some(({ op }) => op === 'Conv')) return program;
      return {
        ...program,
        run: async (inputs) => {
          const { y } = await program.run(inputs);
          const wrong = ((await runtime.read(y!)) as Float32Array<ArrayBuffer>).map(change);
          y!.dispose();
          return { y: runtime.upload(label, 'float32', y!.shape, wrong) };
        },
      };
    },
  };
  expect(await halfSelfTest(broken)).toMatch(/^Conv in float16 is off by /);
  expect(runtime.memory()).toEqual({});
});
