// Types and shapes of a node's outputs, by its op's schema.
import type { Value } from './graph';
import { ops, type OpAttributes, type OpName } from './ops/ops';
import type { TensorType } from './ops/schema';

/** Output types and shapes of `op`; throws an Error naming the op and the input shapes when they do not fit. */
export function inferOutputs<Op extends OpName>(
  op: Op,
  inputs: readonly (Value | undefined)[],
  attributes: OpAttributes[Op],
): readonly TensorType[] {
  const schema = ops[op];
  const [fewest, most] = schema.arity;
  try {
    if (inputs.length < fewest || inputs.length > most) throw new Error(`${inputs.length} inputs`);
    return schema.infer(inputs, attributes);
  } catch (error) {
    const shapes = inputs.map((value) =>
      value ? `${value.name} ${value.type}[${value.shape.join()}]` : '-',
    );
    throw new Error(`${op}(${shapes.join(', ')}): ${(error as Error).message}`, { cause: error });
  }
}
