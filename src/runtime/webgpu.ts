// The runtime on WebGPU. Every tensor and weight is one GPUBuffer of our own, so that nothing passes through the wasm heap and
// nothing outlives its owner. Weights are graph inputs, outputs are always given to ORT, and a node without a GPU kernel is an error.
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { assert, assertExists } from '../base/assert';
import { AppError, isAbort } from '../base/errors';
import { encodeModel } from '../onnx/encode';
import { byteSizeOf, type DataType, type Graph, type Shape } from '../onnx/graph';
import type { GpuDevice } from './device';
import { toAppError } from './failure';
import { GpuTensor, meterBuffers, readBuffer, tensorBuffer, writeBuffer } from './gpu-tensor';
import { MemoryAccount } from './memory';
import type { OrtEngine } from './ort';
import { checkParameter, readParameter, storedBytes, storedType } from './parameter-data';
import { checkRun, owner } from './run-arguments';
import type { DeviceTensor, Parameters, ParameterSource, Program, Runtime, TensorData } from './runtime';
import { GatedSession } from './session';

type Tensors = Readonly<Record<string, DeviceTensor>>;

const uploadWindowBytes = 64 * 2 ** 20; // the browser holds a copy of what the queue has not taken yet

class GpuParameters implements Parameters {
  readonly component: string;
  readonly tensors = new Map<string, GpuTensor>();
  sizeBytes = 0;

  constructor(component: string) {
    this.component = component;
  }

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  dispose(): void {
    for (const tensor of this.tensors.values()) tensor.dispose();
    this.tensors.clear();
  }
}

/** The runtime over `engine` (a build with WebGPU) and a device that it owns from now on: `dispose` destroys it. */
export function createWebGpuRuntime(engine: OrtEngine, gpu: GpuDevice): Runtime {
  const { device } = gpu;
  const account = new MemoryAccount();
  const createOwnBuffer = meterBuffers(device, (bytes) => account.add('ONNX Runtime', bytes));
  const programs = new Set<Program>();
  let lostReason: string | undefined;
  let disposed = false;
  let latestRun: Promise<unknown> = Promise.resolve();
  const lost = new Promise<string>((resolve) => {
    void gpu.lost.then((reason) => {
      lostReason = reason;
      if (!disposed) resolve(reason); // a device that we gave back ourselves is not lost
    });
  });

  /** What went wrong with the device itself, which explains any other error. */
  const deviceFailure = (what: string): AppError | undefined => {
    if (lostReason !== undefined) return new AppError('device-lost', { what, reason: lostReason });
    return gpu.takeFailure(what);
  };
  const translate = (error: unknown, what: string) => deviceFailure(what) ?? toAppError(error, what);
  const throwFailure = (what: string): void => {
    const failure = deviceFailure(what);
    if (failure) throw failure;
  };

  const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
  const largestBytes = Math.min(maxBufferSize, maxStorageBufferBindingSize);

  function allocate(label: string, type: DataType, shape: Shape): GpuTensor {
    const neededBytes = byteSizeOf({ type, shape });
    if (neededBytes > largestBytes) throw new AppError('out-of-memory', { what: label, neededBytes });
    const buffer = createOwnBuffer(tensorBuffer(neededBytes));
    return new GpuTensor(buffer, type, shape, (bytes) => account.add(label, bytes));
  }

  function upload(label: string, type: DataType, shape: Shape, data: TensorData): GpuTensor {
    const tensor = allocate(label, type, shape);
    assert(
      data.byteLength === tensor.sizeBytes,
      `${data.byteLength} bytes do not fill ${type} [${shape.join()}]`,
    );
    writeBuffer(device, tensor, data);
    return tensor;
  }

  async function loadParameters(
    component: string,
    sources: readonly ParameterSource[],
    onProgress: (loadedBytes: number) => void,
    signal: AbortSignal,
  ): Promise<Parameters> {
    signal.throwIfAborted();
    const label = `${component} weights`;
    const parameters = new GpuParameters(component);
    try {
      let waiting = 0;
      for (const source of sources) {
        const tensor = allocate(label, storedType(source), source.shape);
        parameters.tensors.set(source.name, tensor);
        for await (const { offset, bytes } of readParameter(source)) {
          signal.throwIfAborted();
          writeBuffer(device, tensor, bytes, offset);
          waiting += bytes.byteLength;
          if (waiting <= uploadWindowBytes) continue;
          await device.queue.onSubmittedWorkDone();
          waiting = 0;
          throwFailure(label);
        }
        parameters.sizeBytes += storedBytes(source);
        onProgress(parameters.sizeBytes);
      }
      await device.queue.onSubmittedWorkDone(); // errors of the uploads come before it
      throwFailure(label);
      signal.throwIfAborted();
      return parameters;
    } catch (error) {
      parameters.dispose();
      throw translate(error, label);
    }
  }

  async function compile(label: string, graph: Graph, loaded: readonly Parameters[]): Promise<Program> {
    const weights = new Map<string, GpuTensor>();
    for (const parameter of graph.parameters) {
      const tensor = owner(loaded, parameter.name, GpuParameters).tensors.get(parameter.name);
      checkParameter(parameter, tensor);
      weights.set(parameter.name, assertExists(tensor, parameter.name));
    }
    const model = encodeModel(graph, { parametersAs: 'inputs' });
    const options = (): InferenceSession.SessionOptions => ({
      executionProviders: [
        { name: 'webgpu', device, preferredLayout: 'NCHW', storageBufferCacheMode: 'lazyRelease' },
      ],
      preferredOutputLocation: 'gpu-buffer',
      logSeverityLevel: 3,
      extra: { session: { disable_cpu_ep_fallback: '1' } },
    });
    const session = new GatedSession(engine, model, options, (error) => translate(error, label));
    throwFailure(label);
    await session.open();
    const release = account.add(label, model.byteLength);
    const program: Program = {
      name: graph.name,
      run: (inputs, into = {}) => run(label, graph, session, weights, inputs, into),
      dispose: async () => {
        programs.delete(program);
        await session.close();
        release();
      },
    };
    programs.add(program);
    return program;
  }

  async function run(
    label: string,
    graph: Graph,
    session: GatedSession,
    weights: ReadonlyMap<string, GpuTensor>,
    inputs: Tensors,
    into: Tensors,
  ): Promise<Record<string, DeviceTensor>> {
    checkRun(graph, inputs, into);
    throwFailure(label);
    const fresh: GpuTensor[] = [];
    const outputs: Record<string, GpuTensor> = {};
    const prepare = () => {
      const feeds: Record<string, Tensor> = {};
      for (const { name } of graph.inputs) feeds[name] = gpuTensor(inputs[name]).ortTensor(engine.ort);
      for (const [name, tensor] of weights) feeds[name] = tensor.ortTensor(engine.ort);
      const fetches: Record<string, Tensor> = {};
      for (const { name, type, shape } of graph.outputs) {
        const target = into[name] ? gpuTensor(into[name]) : allocate(label, type, shape);
        if (!into[name]) fresh.push(target);
        outputs[name] = target;
        fetches[name] = target.ortTensor(engine.ort);
      }
      return { feeds, fetches };
    };
    try {
      await session.run(prepare, () => throwFailure(label));
      await oneAhead();
      return outputs;
    } catch (error) {
      for (const tensor of fresh) tensor.dispose();
      throw error;
    }
  }

  /**
   * Waits until no more than the latest run is still to be computed. What a buffer holds lives until the GPU has done what was
   * submitted before its end, so a processor that is many runs ahead would fill the GPU's memory with what is freed already.
   */
  async function oneAhead(): Promise<void> {
    const before = latestRun;
    latestRun = device.queue.onSubmittedWorkDone();
    await before;
  }

  async function read(tensor: DeviceTensor): Promise<TensorData> {
    const what = 'reading a tensor';
    try {
      const data = await readBuffer(device, createOwnBuffer, gpuTensor(tensor));
      throwFailure(what);
      return data;
    } catch (error) {
      // a mapping that the loss of its device cuts short is called an abort, sometimes before the loss is told
      if (isAbort(error)) throw deviceFailure(what) ?? new AppError('device-lost', { what }, error);
      throw translate(error, what);
    }
  }

  return {
    backend: 'webgpu',
    threads: 1,
    adapter: gpu.adapter,
    memoryLimitBytes: gpu.memoryLimitBytes,
    largestTensorBytes: largestBytes,
    dispatchesHeld: 16, // maxNumPendingDispatches of ORT's WebGPU backend
    weightType: device.features.has('shader-f16') ? 'float16' : 'float32',
    lost,
    loadParameters,
    compile,
    upload,
    zeros: allocate, // WebGPU clears new buffers
    read,
    copy: (from, to) => {
      assert(
        from.type === to.type && from.sizeBytes === to.sizeBytes,
        `${from.type} of ${from.sizeBytes} bytes cannot be copied to ${to.type} of ${to.sizeBytes} bytes`,
      );
      const source = gpuTensor(from).buffer;
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(source, 0, gpuTensor(to).buffer, 0, source.size);
      device.queue.submit([encoder.finish()]);
    },
    memory: () => account.entries(),
    dispose: async () => {
      disposed = true;
      await Promise.all([...programs].map((program) => program.dispose()));
      device.destroy();
    },
  };
}

function gpuTensor(tensor: DeviceTensor | undefined): GpuTensor {
  assert(tensor instanceof GpuTensor, 'the tensor belongs to another runtime');
  return tensor;
}
