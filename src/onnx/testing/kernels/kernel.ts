// What a kernel of the reference interpreter is. For tests only.
import type { Shape } from '../../graph';
import type { OpAttributes, OpName } from '../../ops/ops';
import type { Tensor } from '../tensor';

/** Computes an op's outputs in float64, as the ONNX specification defines it; `shapes` are those of the outputs. */
export type Kernel<Op extends OpName> = (
  inputs: readonly (Tensor | undefined)[],
  attributes: OpAttributes[Op],
  shapes: readonly Shape[],
) => readonly Float64Array[];

/** The kernels of one family of ops. */
export type Kernels<Attributes> = { readonly [Name in keyof Attributes & OpName]: Kernel<Name> };
