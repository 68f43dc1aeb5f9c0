// Ops that act on each element alone, with NumPy broadcasting for two inputs.
import type { DataType } from '../value';
import { broadcastShapes, commonType, inputAt, type OpSchema } from './schema';

type None = Record<never, never>;
type Unary = 'Neg' | 'Exp' | 'Log' | 'Sqrt' | 'Reciprocal' | 'Sigmoid' | 'Tanh' | 'Relu' | 'Erf' | 'Identity';
type Arithmetic = 'Add' | 'Sub' | 'Mul' | 'Div' | 'Min' | 'Max';
type Comparison = 'Greater' | 'Equal';

export type ElementwiseAttributes = { [Name in Unary | Arithmetic | Comparison]: None } & {
  Gelu: { readonly approximate: 'none' | 'tanh' };
  Cast: { readonly to: DataType };
};

const unary: OpSchema<None> = {
  arity: [1, 1],
  infer: (inputs) => [inputAt(inputs, 0)],
  encoding: {},
};

const arithmetic: OpSchema<None> = {
  arity: [2, 2],
  infer: (inputs) => [
    { type: commonType(inputs), shape: broadcastShapes(inputAt(inputs, 0).shape, inputAt(inputs, 1).shape) },
  ],
  encoding: {},
};

const comparison: OpSchema<None> = {
  ...arithmetic,
  infer: (inputs, attributes) =>
    arithmetic.infer(inputs, attributes).map(({ shape }) => ({ type: 'bool', shape })),
};

export const elementwiseOps: {
  readonly [Name in keyof ElementwiseAttributes]: OpSchema<ElementwiseAttributes[Name]>;
} = {
  Neg: unary,
  Exp: unary,
  Log: unary,
  Sqrt: unary,
  Reciprocal: unary,
  Sigmoid: unary,
  Tanh: unary,
  Relu: unary,
  Erf: unary,
  Identity: unary,
  Add: arithmetic,
  Sub: arithmetic,
  Mul: arithmetic,
  Div: arithmetic,
  Min: arithmetic,
  Max: arithmetic,
  Greater: comparison,
  Equal: comparison,
  Gelu: { ...unary, encoding: { approximate: 'string' } },
  Cast: {
    arity: [1, 1],
    infer: (inputs, { to }) => [{ type: to, shape: inputAt(inputs, 0).shape }],
    encoding: { to: 'type' },
  },
};
