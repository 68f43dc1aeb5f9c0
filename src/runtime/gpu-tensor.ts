// A tensor in a GPUBuffer of our own, and how bytes get in and out of it.
import type { Tensor } from 'onnxruntime-web';
import { assertExists } from '../base/assert';
import { byteSizeOf, type DataType, type Shape } from '../onnx/graph';
import type { OrtModule } from './ort';
import type { DeviceTensor, TensorData } from './runtime';
import { arrayTypes } from './tensor-data';

/** Kernels write whole vec4: a buffer that is not a multiple of this loses its last elements. */
const granularity = 16;

export class GpuTensor implements DeviceTensor {
  readonly type: DataType;
  readonly shape: Shape;
  readonly sizeBytes: number;
  #buffer: GPUBuffer | undefined;
  #ortTensor: Tensor | undefined;
  readonly #release: () => void;

  /** Takes `buffer` over; `book` enters its bytes into the memory account. */
  constructor(buffer: GPUBuffer, type: DataType, shape: Shape, book: (bytes: number) => () => void) {
    this.type = type;
    this.shape = shape;
    this.sizeBytes = byteSizeOf({ type, shape });
    this.#buffer = buffer;
    this.#release = book(buffer.size);
  }

  get buffer(): GPUBuffer {
    return assertExists(this.#buffer, 'the buffer of a disposed tensor');
  }

  /** The same buffer in ORT's terms; ORT never owns it. */
  ortTensor(ort: OrtModule): Tensor {
    const { buffer } = this;
    return (this.#ortTensor ??= ort.Tensor.fromGpuBuffer(buffer, { dataType: this.type, dims: this.shape }));
  }

  /** Destroys the buffer; work that was submitted before still sees it. */
  dispose(): void {
    this.#buffer?.destroy();
    this.#buffer = undefined;
    this.#release();
  }
}

type CreateBuffer = (descriptor: GPUBufferDescriptor) => GPUBuffer;

/** Describes a zero-filled buffer that a tensor of `sizeBytes` can live in. */
export const tensorBuffer = (sizeBytes: number): GPUBufferDescriptor => ({
  size: Math.max(granularity, Math.ceil(sizeBytes / granularity) * granularity),
  usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
});

/**
 * Books the buffers that others (ORT) make on `device`: ORT calls the device's own methods, and tells nobody what it holds.
 * Answers the unmetered `createBuffer`, for buffers that are booked elsewhere.
 */
export function meterBuffers(device: GPUDevice, book: (bytes: number) => () => void): CreateBuffer {
  const createBuffer = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer(descriptor);
    const release = book(descriptor.size);
    const destroy = buffer.destroy.bind(buffer);
    buffer.destroy = () => {
      release();
      destroy();
    };
    return buffer;
  };
  return createBuffer;
}

/** Writes into `tensor` from byte `offset` (a multiple of four), in order with what is submitted before and after. */
export function writeBuffer(device: GPUDevice, tensor: GpuTensor, data: TensorData, offset = 0): void {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength) as Uint8Array<ArrayBuffer>;
  const whole = bytes.byteLength - (bytes.byteLength % 4); // the queue takes multiples of four bytes
  device.queue.writeBuffer(tensor.buffer, offset, bytes, 0, whole);
  if (whole === bytes.byteLength) return;
  const rest = new Uint8Array(4);
  rest.set(bytes.subarray(whole));
  device.queue.writeBuffer(tensor.buffer, offset + whole, rest);
}

/** The content of `tensor` once everything submitted so far is done. */
export async function readBuffer(
  device: GPUDevice,
  createBuffer: CreateBuffer,
  tensor: GpuTensor,
): Promise<TensorData> {
  const { buffer } = tensor;
  const staging = createBuffer({
    size: buffer.size,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  try {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    return new arrayTypes[tensor.type](staging.getMappedRange().slice(0, tensor.sizeBytes));
  } finally {
    staging.destroy();
  }
}
