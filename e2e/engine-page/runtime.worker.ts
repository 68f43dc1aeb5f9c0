// The runtimes with graphs of a few numbers, for runtime.spec.ts and runtime.webgpu.spec.ts.
import { isAppError } from '../../src/base/errors';
import { floatToHalf } from '../../src/base/float16';
import { GraphBuilder } from '../../src/onnx/builder';
import type { Graph } from '../../src/onnx/graph';
import { add, dequantize, gemm, matMul, slice } from '../../src/onnx/operators';
import type { GpuTensor } from '../../src/runtime/gpu-tensor';
import { openRuntime } from '../../src/runtime/open-runtime';
import { openSingleFile } from '../../src/engine/single-file';
import { shapesInFile, zeroFile } from '../../src/engine/testing/real-size';
import type { Component } from '../../src/engine/model-parts';
import { stableDiffusion1 } from '../../src/models/presets/stable-diffusion';
import type { DeviceTensor, ParameterSource, Program, Runtime } from '../../src/runtime/runtime';
import { selfTest } from '../../src/runtime/self-test';
import { answerWith } from './scenarios';

type Backend = 'webgpu' | 'wasm';
const signal = new AbortController().signal;

/** The threads that ONNX Runtime starts. */
const startedThreads: string[] = [];
globalThis.Worker = class extends Worker {
  constructor(url: string | URL, options?: WorkerOptions) {
    super(url, options);
    startedThreads.push(options?.name ?? '');
  }
};

/** The heaps of ONNX Runtime. */
const heaps: WebAssembly.Memory[] = [];
WebAssembly.Memory = class extends WebAssembly.Memory {
  constructor(descriptor: WebAssembly.MemoryDescriptor) {
    super(descriptor);
    heaps.push(this);
  }
};
const wasmBytes = () => heaps.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);

/** The devices that the page asks for, in order. */
const devices: GPUDevice[] = [];
if ('gpu' in navigator) {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with its adapter below
  const requestDevice = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (descriptor) {
    const device = await requestDevice.call(this, descriptor);
    devices.push(device);
    return device;
  };
}

const source = (
  name: string,
  shape: readonly number[],
  values: readonly number[],
  as: Partial<ParameterSource> = {},
): ParameterSource => ({
  name,
  type: 'float32',
  shape,
  read: () => {
    const data = Float32Array.from(values);
    return Promise.resolve(new Uint8Array((as.type === 'float16' ? floatToHalf(data) : data).buffer));
  },
  ...as,
});

const sources = [
  source('net.weight', [2, 3], [1, 2, 3, 4, 5, 6]),
  source('net.bias', [3], [0.5, -1, 0.25]),
  source('net.half', [2], [1 / 3, -2], { type: 'float16' }),
];

/** y = x · weight + bias, z = x + the weights whose file has them as float16. */
function layerGraph(): Graph {
  const b = new GraphBuilder('layer');
  const x = b.input('x', 'float32', [5, 2]);
  const y = gemm(b, x, b.parameter('net.weight', [2, 3]), { c: b.parameter('net.bias', [3]) });
  return b.finish({ y, z: add(b, x, b.parameter('net.half', [2])) });
}

/** Products enough to be at work for a while. */
function longGraph(): Graph {
  const b = new GraphBuilder('long');
  let x = b.input('x', 'float32', [256, 512]);
  for (let i = 0; i < 30; i++) x = matMul(b, x, b.parameter('long.weight', [512, 512]));
  return b.finish({ y: x });
}

const upload = (runtime: Runtime, ...values: number[]) =>
  runtime.upload('test', 'float32', [5, 2], Float32Array.from(values));
const someRows = [1, 0, 0, 1, 1, 1, 2, 0, 0, 2];

async function numbers(runtime: Runtime, tensor: DeviceTensor | undefined): Promise<number[]> {
  return [...((await runtime.read(tensor!)) as Float32Array)];
}

type Layer = { readonly program: Program; readonly free: () => Promise<void> };

async function openLayer(runtime: Runtime): Promise<Layer> {
  const parameters = await runtime.loadParameters('net', sources, () => {}, signal);
  const program = await runtime.compile('layer', layerGraph(), [parameters]);
  const free = async () => {
    await program.dispose();
    parameters.dispose();
  };
  return { program, free };
}

/** The code of the AppError that `action` ends with. */
async function codeOf(action: () => unknown): Promise<string> {
  try {
    await action();
    return 'none';
  } catch (error) {
    return isAppError(error) ? error.code : String(error);
  }
}

const scenarios = {
  /** What `compute` opens here, and the threads that ran for it. */
  open: async (compute: Backend | 'automatic') => {
    const { runtime, fallbackReason, noHalfReason } = await openRuntime(compute, 'automatic');
    const { backend, threads } = runtime;
    const selfTestSays = await selfTest(runtime);
    await runtime.dispose();
    const { hardwareConcurrency } = navigator;
    const reasons = { fallbackReason, noHalfReason };
    return { backend, threads, ...reasons, selfTestSays, startedThreads, hardwareConcurrency };
  },

  /** A program's results in new tensors, in given ones, and after a copy. */
  compute: async (backend: Backend) => {
    const { runtime } = await openRuntime(backend, 'automatic');
    const { program, free } = await openLayer(runtime);
    const x = upload(runtime, ...someRows);
    const { y, z } = await program.run({ x });
    const state = runtime.zeros('state', 'float32', [5, 3]);
    const zeros = await numbers(runtime, state);
    const ones = upload(runtime, ...Array<number>(10).fill(1));
    const second = await program.run({ x: ones }, { y: state });
    const written = await numbers(runtime, state);
    runtime.copy(y!, state);
    const odd = runtime.upload('test', 'uint8', [5], Uint8Array.of(1, 2, 3, 4, 5));
    const answer = {
      y: await numbers(runtime, y),
      z: await numbers(runtime, z),
      zeros,
      isGivenTensor: second['y'] === state,
      written,
      copied: await numbers(runtime, state),
      odd: [...((await runtime.read(odd)) as Uint8Array)],
      memoryInUse: runtime.memory(),
    };
    for (const tensor of [x, y!, z!, state, ones, second['z']!, odd]) tensor.dispose();
    await free();
    const memoryAfterwards = runtime.memory();
    await runtime.dispose();
    return { ...answer, memoryAfterwards };
  },

  /** What quantized weights stand for: of 8 bits, then of 4. */
  dequantize: async (backend: Backend) => {
    const { runtime } = await openRuntime(backend, 'full');
    const results: number[][] = [];
    for (const bits of [8, 4] as const) {
      const data = Uint8Array.from({ length: 4 * bits }, (_, i) => (i * 37) % 256); // one block
      const levels: ParameterSource = {
        ...{ name: 'net.levels', type: 'uint8', storedAs: 'uint8', shape: [1, 1, data.length] },
        read: () => Promise.resolve(data),
      };
      const parameters = await runtime.loadParameters('net', [levels], () => {}, signal);
      const b = new GraphBuilder('dequantize');
      const scales = b.input('scales', 'float32', [1, 1, 1]);
      const y = dequantize(b, b.parameter('net.levels', levels.shape, 'uint8'), scales, bits);
      const program = await runtime.compile('dequantize', b.finish({ y }), [parameters]);
      const scale = runtime.upload('test', 'float32', [1, 1, 1], Float32Array.of(0.5));
      results.push(await numbers(runtime, (await program.run({ scales: scale }))['y']));
    }
    await runtime.dispose();
    return results;
  },

  /** A node that the GPU has no kernel for. */
  missingKernel: async () => {
    const { runtime } = await openRuntime('webgpu', 'automatic');
    const b = new GraphBuilder('integers');
    const graph = b.finish({ y: slice(b, b.input('x', 'int32', [4]), 0, 1, 3) });
    const code = await codeOf(() => runtime.compile('integers', graph, []));
    await runtime.dispose();
    return code;
  },

  /** A run that fails, and the next one of the same program. */
  failedRun: async () => {
    const { runtime } = await openRuntime('webgpu', 'automatic');
    const { program } = await openLayer(runtime);
    const broken = upload(runtime, ...someRows);
    (broken as GpuTensor).buffer.destroy();
    const code = await codeOf(() => program.run({ x: broken }));
    const { y } = await program.run({ x: upload(runtime, ...someRows) });
    const answer = { code, y: await numbers(runtime, y) };
    await runtime.dispose();
    return answer;
  },

  /** Weights of Stable Diffusion 1.5, from a file of its real size in half precision, kept as float32. */
  loadReal: async (components: readonly Component[]) => {
    const { runtime } = await openRuntime('webgpu', 'automatic');
    const path = 'model.safetensors';
    const file = zeroFile(shapesInFile(stableDiffusion1, 'clip'));
    const { sources } = await openSingleFile(new Map([[path, file]]), path);
    const heapBefore = wasmBytes();
    let sizeBytes = 0;
    for (const component of components) {
      const parameters = await runtime.loadParameters(component, sources[component], () => {}, signal);
      sizeBytes += parameters.sizeBytes;
    }
    const wasmGrowth = wasmBytes() - heapBefore;
    await runtime.dispose();
    return { sizeBytes, heapBefore, wasmGrowth };
  },

  /** The device goes while it computes; then everything again on a new one. */
  lostDevice: async () => {
    const { runtime } = await openRuntime('webgpu', 'automatic');
    const weight = source('long.weight', [512, 512], Array<number>(512 * 512).fill(1 / 512));
    const parameters = await runtime.loadParameters('long', [weight], () => {}, signal);
    const { program: layer, free } = await openLayer(runtime);
    const program = await runtime.compile('long', longGraph(), [parameters]);
    const x = runtime.zeros('test', 'float32', [256, 512]);
    const small = upload(runtime, ...someRows);
    const pending = codeOf(async () => runtime.read((await program.run({ x }))['y']!));
    await new Promise((resolve) => setTimeout(resolve, 50)); // the run is on its way
    devices.at(-1)!.destroy();
    const codes = {
      pending: await pending,
      run: await codeOf(() => layer.run({ x: small })),
      read: await codeOf(() => runtime.read(small)),
      compile: await codeOf(() => runtime.compile('layer', longGraph(), [parameters])),
      load: await codeOf(() => runtime.loadParameters('long', [weight], () => {}, signal)),
    };
    const hasReason = (await runtime.lost) !== '';
    for (const tensor of [x, small]) tensor.dispose();
    await program.dispose();
    await free();
    parameters.dispose();
    await runtime.dispose();
    const memoryAfterwards = runtime.memory();

    const { runtime: next } = await openRuntime('webgpu', 'automatic');
    const { program: again } = await openLayer(next);
    const { y } = await again.run({ x: upload(next, ...someRows) });
    const answer = {
      codes,
      hasReason,
      memoryAfterwards,
      y: await numbers(next, y),
      deviceCount: devices.length,
    };
    await next.dispose();
    return answer;
  },
};
export type RuntimeScenarios = typeof scenarios;

answerWith(scenarios);
