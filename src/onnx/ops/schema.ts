// What every op's schema says: how its outputs follow from its inputs, and how its attributes are written in ONNX.
import type { DataType, Shape, Value } from '../value';

export type TensorType = { readonly type: DataType; readonly shape: Shape };

/**
 * How one attribute travels: as an ONNX attribute of that kind, or as a constant input at that position. Shapes are static
 * here, so what ONNX takes as a shape or axes tensor is an attribute in our graphs and becomes an initializer on encoding.
 */
export type AttributeEncoding =
  'int' | 'ints' | 'float' | 'string' | 'type' | { readonly input: number; readonly as: 'int64' | 'float32' };

export type OpSchema<Attributes> = {
  /** [fewest, most] inputs. */
  readonly arity: readonly [number, number];
  /** Types and shapes of the outputs; throws when the inputs do not fit. */
  readonly infer: (inputs: readonly (Value | undefined)[], attributes: Attributes) => readonly TensorType[];
  readonly encoding: { readonly [Key in keyof Attributes]-?: AttributeEncoding };
  readonly domain?: 'com.microsoft'; // ONNX's own where left out
};

/** The input at `index`, which the schema's arity says is there. */
export function inputAt(inputs: readonly (Value | undefined)[], index: number): Value {
  const value = inputs[index];
  if (value === undefined) throw new Error(`input ${index} is missing`);
  return value;
}

/** The shape that `a` and `b` broadcast to (NumPy's rule); throws when they do not. */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) throw new Error(`[${a.join()}] and [${b.join()}] do not broadcast`);
    return x === 1 ? y : x;
  });
}

/** `axis` counted from the front; throws outside [-rank, rank). */
export function normalizeAxis(axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    throw new Error(`axis ${axis} of rank ${rank}`);
  return axis < 0 ? axis + rank : axis;
}

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((dim, i) => dim === b[i]);

/** Throws unless all values have one data type; answers it. */
export function commonType(values: readonly (Value | undefined)[]): DataType {
  const [first, ...rest] = values.filter((value) => value !== undefined);
  if (first === undefined) throw new Error('no input');
  for (const value of rest)
    if (value.type !== first.type) throw new Error(`${first.type} and ${value.type} do not mix`);
  return first.type;
}
