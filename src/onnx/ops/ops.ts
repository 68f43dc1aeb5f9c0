// The closed set of ops that our graphs use: every one has a WebGPU kernel in ONNX Runtime 1.30 (opset 21), for float32 and float16.
import { elementwiseOps, type ElementwiseAttributes } from './elementwise';
import { linalgOps, type LinalgAttributes } from './linalg';
import { movementOps, type MovementAttributes } from './movement';
import { reductionOps, type ReductionAttributes } from './reduction';
import type { OpSchema } from './schema';

export type OpAttributes = ElementwiseAttributes &
  LinalgAttributes &
  MovementAttributes &
  ReductionAttributes;
export type OpName = keyof OpAttributes;

export const ops: { readonly [Name in OpName]: OpSchema<OpAttributes[Name]> } = {
  ...elementwiseOps,
  ...linalgOps,
  ...movementOps,
  ...reductionOps,
};
