// The arrays that hold tensors on the CPU side, by element type. float16 is kept as its bits.
import type { DataType } from '../onnx/graph';

export const arrayTypes = {
  float32: Float32Array,
  float16: Uint16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
  uint8: Uint8Array,
} as const satisfies Record<DataType, unknown>;
