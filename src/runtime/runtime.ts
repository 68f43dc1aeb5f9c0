// What a runtime is: it compiles graphs, keeps tensors where the backend wants them and runs one call at a time.
// Two implementations: wasm.ts (tensors are typed arrays, weights are initializers) and webgpu.ts (tensors are GPUBuffers, weights are inputs).
import type { DataType, FloatType, Graph, Shape } from '../onnx/graph';

export type TensorData = Float32Array | Uint16Array | Int32Array | BigInt64Array | Uint8Array;

/** A tensor that belongs to the runtime. Dispose it when it is no longer needed; a disposed tensor must not be used. */
export type DeviceTensor = {
  readonly type: DataType;
  readonly shape: Shape;
  readonly sizeBytes: number;
  dispose(): void;
};

/** The frozen weights of one component ("unet", "vae", "text_encoder"), loaded once and shared by every program that names them. */
export type Parameters = {
  readonly component: string;
  readonly sizeBytes: number;
  has(name: string): boolean;
  dispose(): void;
};

/** uint8: quantized weights, which are kept as they come. */
export type ParameterType = 'float32' | 'float16' | 'uint8';

/** Where weights come from: little-endian data of one named tensor, read when it is needed. */
export type ParameterSource = {
  readonly name: string; // "unet.conv_in.weight"
  readonly type: ParameterType;
  readonly shape: Shape;
  readonly storedAs?: ParameterType; // the type that graphs declare for it, float32 where left out
  /** Bytes `begin` to `end` of the data (whole elements; all by default), in a buffer that is the caller's alone. */
  read(begin?: number, end?: number): Promise<Uint8Array>;
};

export type Program = {
  readonly name: string;
  /**
   * Runs the graph once. `inputs` by name, every graph input present. `into` hands tensors that receive outputs (never one that is
   * also an input); outputs without one are new tensors that the caller disposes.
   */
  run(
    inputs: Readonly<Record<string, DeviceTensor>>,
    into?: Readonly<Record<string, DeviceTensor>>,
  ): Promise<Record<string, DeviceTensor>>;
  dispose(): Promise<void>;
};

export type Runtime = {
  readonly backend: 'webgpu' | 'wasm';
  readonly threads: number;
  readonly adapter: string;
  readonly memoryLimitBytes: number;
  /** No tensor may be larger: ORT's kernels bind whole tensors. */
  readonly largestTensorBytes: number;
  /** Kernels that are recorded before ORT hands them over and lets go of what they no longer need. */
  readonly dispatchesHeld: number;
  /** How frozen weights are kept: float16 where the backend can cast it, which every graph does where it uses them. */
  readonly weightType: FloatType;
  /** Settles (never rejects) with the reason when the GPU device is gone; pending for ever on wasm. */
  readonly lost: Promise<string>;
  loadParameters(
    component: string,
    sources: readonly ParameterSource[],
    onProgress: (loadedBytes: number) => void,
    signal: AbortSignal,
  ): Promise<Parameters>;
  /** Compiles `graph`; its parameters are looked up in `parameters`. `label` names it in the memory account. */
  compile(label: string, graph: Graph, parameters: readonly Parameters[]): Promise<Program>;
  /** Copies `data` into a new tensor (wasm keeps the array itself: do not change it afterwards). `label` names it in the memory account. */
  upload(label: string, type: DataType, shape: Shape, data: TensorData): DeviceTensor;
  /** A zero-filled tensor. */
  zeros(label: string, type: DataType, shape: Shape): DeviceTensor;
  /** Reads a tensor back. On wasm this is the array itself, not a copy. */
  read(tensor: DeviceTensor): Promise<TensorData>;
  /** Copies the content of `from` over `to` (same type and size), in order with the programs' runs. */
  copy(from: DeviceTensor, to: DeviceTensor): void;
  /** Bytes in use by label. */
  memory(): Readonly<Record<string, number>>;
  dispose(): Promise<void>;
};
