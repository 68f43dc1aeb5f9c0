// The runtime on WebAssembly threads (in Node also onnxruntime-node's CPU). Tensors are typed arrays that are never written to again:
// a run or a copy into a tensor gives it another array, so what `read` answered stays as it was. Weights are initializers with
// external data: ORT repacks them once. Measured with 40 MB of weights (two threads, 10 MatMul of 16 × 1024 rows, 11 Conv at 8 × 8):
// 2 to 4 times and 1.3 times faster per run than weights as inputs, which are copied into the heap and repacked every time.
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { assert, assertExists } from '../base/assert';
import { encodeModel, type ExternalLocation } from '../onnx/encode';
import { byteSizeOf, sizeOf, type DataType, type Graph, type Shape, type Value } from '../onnx/graph';
import { toAppError } from './failure';
import { checkRun, owner } from './run-arguments';
import { MemoryAccount } from './memory';
import type { OrtEngine } from './ort';
import { checkParameter, readParameter, storedBytes, storedType } from './parameter-data';
import type {
  DeviceTensor,
  Parameters,
  ParameterSource,
  ParameterType,
  Program,
  Runtime,
  TensorData,
} from './runtime';
import { GatedSession } from './session';
import { arrayTypes } from './tensor-data';

/** A wasm32 heap ends at 4 GiB; the rest is for ORT's own code, stacks and gaps. */
const heapBytes = 3.5 * 2 ** 30;

class WasmTensor implements DeviceTensor {
  readonly type: DataType;
  readonly shape: Shape;
  readonly sizeBytes: number;
  #data: TensorData | undefined;
  readonly #release: () => void;

  constructor(type: DataType, shape: Shape, data: TensorData, release: () => void) {
    this.type = type;
    this.shape = shape;
    this.sizeBytes = byteSizeOf({ type, shape });
    this.#release = release;
    this.data = data;
  }

  get data(): TensorData {
    return assertExists(this.#data, 'the data of a disposed tensor');
  }

  set data(data: TensorData) {
    assert(
      data instanceof arrayTypes[this.type],
      `a ${this.type} tensor does not hold ${data.constructor.name}`,
    );
    assert(
      data.length === sizeOf(this.shape),
      `${data.length} elements do not fill [${this.shape.join()}] of ${this.type}`,
    );
    this.#data = data;
  }

  dispose(): void {
    this.#data = undefined;
    this.#release();
  }
}

type Stored = ExternalLocation & { readonly type: ParameterType; readonly shape: Shape };

class WasmParameters implements Parameters {
  readonly component: string;
  readonly sizeBytes: number;
  readonly entries = new Map<string, Stored>();
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  readonly #release: () => void;

  constructor(component: string, sizeBytes: number, account: MemoryAccount) {
    this.component = component;
    this.sizeBytes = sizeBytes;
    this.#bytes = new Uint8Array(sizeBytes);
    this.#release = account.add(`${component} weights`, sizeBytes);
  }

  /** Every tensor of the component, one after the other. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return assertExists(this.#bytes, `the data of ${this.component} after dispose`);
  }

  get location(): string {
    return `${this.component}.bin`;
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  dispose(): void {
    this.#bytes = undefined;
    this.entries.clear();
    this.#release();
  }
}

/** The runtime over `engine`: the wasm build, ORT's Node build, or onnxruntime-node. */
export function createWasmRuntime(engine: OrtEngine): Runtime {
  const account = new MemoryAccount();
  const programs = new Set<Program>();
  const { Tensor } = engine.ort;

  const upload = (label: string, type: DataType, shape: Shape, data: TensorData) =>
    new WasmTensor(type, shape, data, account.add(label, byteSizeOf({ type, shape })));

  async function loadParameters(
    component: string,
    sources: readonly ParameterSource[],
    onProgress: (loadedBytes: number) => void,
    signal: AbortSignal,
  ): Promise<Parameters> {
    signal.throwIfAborted();
    let parameters: WasmParameters | undefined;
    try {
      const sizeBytes = sources.reduce((sum, source) => sum + storedBytes(source), 0);
      parameters = new WasmParameters(component, sizeBytes, account);
      let offset = 0;
      for (const source of sources) {
        for await (const piece of readParameter(source)) {
          signal.throwIfAborted();
          parameters.bytes.set(piece.bytes, offset + piece.offset);
        }
        const { location } = parameters;
        const stored = { type: storedType(source), shape: source.shape };
        const length = storedBytes(source);
        parameters.entries.set(source.name, { ...stored, location, offset, length });
        offset += length;
        onProgress(offset);
      }
      return parameters;
    } catch (error) {
      parameters?.dispose();
      throw toAppError(error, `${component} weights`);
    }
  }

  async function compile(label: string, graph: Graph, loaded: readonly Parameters[]): Promise<Program> {
    const used = new Set<WasmParameters>();
    for (const parameter of graph.parameters) {
      const holder = owner(loaded, parameter.name, WasmParameters);
      checkParameter(parameter, holder.entries.get(parameter.name));
      used.add(holder);
    }
    const model = encodeModel(graph, {
      parametersAs: (name) => assertExists([...used].find((one) => one.has(name))?.entries.get(name), name),
    });
    const options = (): InferenceSession.SessionOptions => ({
      executionProviders: ['cpu'],
      logSeverityLevel: 3,
      externalData: [...used].map((one) => ({ path: one.location, data: one.bytes })),
    });
    const session = new GatedSession(engine, model, options, (error) => toAppError(error, label));
    const heap = graph.parameters.reduce((sum, parameter) => sum + byteSizeOf(parameter), model.byteLength);
    const release = account.add(label, heap); // every session copies its weights into the heap
    try {
      await session.open();
    } catch (error) {
      release();
      throw error;
    }
    const program: Program = {
      name: graph.name,
      run: (inputs, into = {}) => run(label, graph, session, inputs, into),
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
    inputs: Readonly<Record<string, DeviceTensor>>,
    into: Readonly<Record<string, DeviceTensor>>,
  ): Promise<Record<string, DeviceTensor>> {
    checkRun(graph, inputs, into);
    const prepare = () => {
      const feeds: Record<string, Tensor> = {};
      for (const { name, type, shape } of graph.inputs)
        feeds[name] = new Tensor(type, wasm(inputs[name]).data as Float32Array, shape);
      return { feeds };
    };
    return session.run(prepare, (results) => {
      const outputs: Record<string, DeviceTensor> = {};
      for (const value of graph.outputs)
        outputs[value.name] = receive(label, value, results, into[value.name]);
      return outputs;
    });
  }

  function receive(
    label: string,
    { name, type, shape }: Value,
    results: InferenceSession.OnnxValueMapType,
    target: DeviceTensor | undefined,
  ): DeviceTensor {
    const { data } = assertExists<unknown>(results[name], `output ${name}`) as Tensor;
    const { buffer, byteOffset, length } = data as Float32Array<ArrayBuffer>;
    const array = new arrayTypes[type](buffer, byteOffset, length); // a Float16Array is kept as its bits
    if (!target) return upload(label, type, shape, array);
    wasm(target).data = array;
    return target;
  }

  return {
    backend: 'wasm',
    threads: engine.threads,
    adapter: '',
    memoryLimitBytes: heapBytes,
    largestTensorBytes: heapBytes,
    dispatchesHeld: 0,
    weightType: 'float32', // casts of initializers would be folded: both copies in the heap
    lost: new Promise<string>(() => {}),
    loadParameters,
    compile,
    upload,
    zeros: (label, type, shape) => upload(label, type, shape, new arrayTypes[type](sizeOf(shape))),
    read: (tensor) => Promise.resolve(wasm(tensor).data),
    copy: (from, to) => {
      assert(from.type === to.type, `a ${from.type} tensor cannot be copied to a ${to.type} tensor`);
      wasm(to).data = wasm(from).data;
    },
    memory: () => account.entries(),
    dispose: async () => {
      await Promise.all([...programs].map((program) => program.dispose()));
    },
  };
}

function wasm(tensor: DeviceTensor | undefined): WasmTensor {
  assert(tensor instanceof WasmTensor, 'the tensor belongs to another runtime');
  return tensor;
}
