// Runs a model in ONNX Runtime (the package is an argument) and compares tensors. For tests only.
import type * as ortNode from 'onnxruntime-node';
import type { Value } from '../graph';
import { tensor, type Tensor } from './tensor';

/** What onnxruntime-node and onnxruntime-web share. */
export type OnnxRuntime = Pick<typeof ortNode, 'InferenceSession' | 'Tensor'>;

/** The outputs of `model` by name. `fed` are its inputs, float32 or int32, whose data are in `feeds`. */
export async function runModel(
  ort: OnnxRuntime,
  model: Uint8Array,
  fed: readonly Value[],
  feeds: Readonly<Record<string, Tensor>>,
  options: ortNode.InferenceSession.SessionOptions = {},
): Promise<Readonly<Record<string, Tensor>>> {
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3, ...options });
  try {
    const results = await session.run(
      Object.fromEntries(fed.map((value) => [value.name, toOrt(ort, value, feeds[value.name]!)])),
    );
    return Object.fromEntries(
      Object.entries(results).map(([name, { dims, data }]) => [name, tensor(dims, data as Float32Array)]),
    );
  } finally {
    await session.release();
  }
}

function toOrt(ort: OnnxRuntime, { type, shape }: Value, { data }: Tensor): ortNode.Tensor {
  return type === 'int32'
    ? new ort.Tensor('int32', Int32Array.from(data), shape)
    : new ort.Tensor('float32', Float32Array.from(data), shape);
}

/** Greatest absolute difference over the greatest absolute expected value (1 where that is 0); NaN where one is NaN. */
export function relativeError(actual: Tensor, expected: Tensor): number {
  if (actual.shape.join() !== expected.shape.join())
    throw new Error(`[${actual.shape.join()}] instead of [${expected.shape.join()}]`);
  const largest = expected.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return (
    actual.data.reduce((most, value, i) => Math.max(most, Math.abs(value - expected.data[i]!)), 0) /
    (largest || 1)
  );
}

/** The greatest relative error of all `expected` outputs. */
export function worstError(
  actual: Readonly<Record<string, Tensor>>,
  expected: Readonly<Record<string, Tensor>>,
): number {
  return Math.max(...Object.entries(expected).map(([name, value]) => relativeError(actual[name]!, value)));
}
