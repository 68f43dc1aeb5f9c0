// For every op, nodes that cover what it can do: gradient rules and encoding are checked on them. For tests only.
import { sizeOf, type DataType, type Shape } from '../graph';
import type { OpAttributes, OpName } from '../ops/ops';

export type SampleInput = {
  readonly shape: Shape;
  readonly type?: DataType; // float32 unless told
  readonly values?: readonly number[]; // normals unless told
  readonly domain?: 'positive' | 'away-from-zero';
};

/** One node: its attributes and inputs (undefined: an optional one left out). */
export type Sample<Op extends OpName> = {
  readonly attributes: OpAttributes[Op];
  readonly inputs: readonly (SampleInput | undefined)[];
};

const x = (...shape: number[]): SampleInput => ({ shape });
const indices = (shape: Shape, ...values: number[]): SampleInput => ({ shape, type: 'int32', values });
/** All of 0 to 255, in turn. */
const bytes = (shape: Shape): SampleInput => ({
  shape,
  type: 'uint8',
  values: Array.from({ length: sizeOf(shape) }, (_, i) => (i * 37) % 256),
});
const plain = (...inputs: SampleInput[]) => ({ attributes: {}, inputs });

const positive = plain({ shape: [2, 3], domain: 'positive' });
const awayFromZero = plain({ shape: [2, 3], domain: 'away-from-zero' });
const anywhere = plain(x(2, 3));
const broadcasts = [
  plain(x(2, 3), x(2, 3)),
  plain(x(2, 3), x(1)),
  plain(x(1, 3), x(2, 1)),
  plain(x(3), x(2, 2, 3)),
  plain(x(2, 1, 2), x(1, 3, 1)),
];

const gemm = (
  inputs: readonly SampleInput[],
  [transA, transB]: readonly [0 | 1, 0 | 1] = [0, 0],
  alpha = 1,
  beta = 1,
): Sample<'Gemm'> => ({ inputs, attributes: { alpha, beta, transA, transB } });

const conv = (
  inputs: readonly SampleInput[],
  { strides = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1] }: Partial<Sample<'Conv'>['attributes']> = {},
): Sample<'Conv'> => ({ inputs, attributes: { strides, pads, dilations } });

const convTranspose = (
  inputs: readonly SampleInput[],
  {
    strides = [1, 1],
    pads = [0, 0, 0, 0],
    output_padding = [0, 0],
  }: Partial<Sample<'ConvTranspose'>['attributes']> = {},
): Sample<'ConvTranspose'> => ({ inputs, attributes: { strides, pads, output_padding } });

const reductions = [
  { inputs: [x(2, 3, 4)], attributes: { axes: [1], keepdims: 1 } },
  { inputs: [x(2, 3, 4)], attributes: { axes: [-1], keepdims: 0 } },
  { inputs: [x(2, 3, 4)], attributes: { axes: [0, 2], keepdims: 0 } },
  { inputs: [x(2, 3, 2, 2)], attributes: { axes: [2, 3], keepdims: 1 } },
  { inputs: [x(2, 3)], attributes: { axes: [0, 1], keepdims: 1 } },
] satisfies readonly Sample<'ReduceSum'>[];

const resize = (shape: Shape, scales: readonly number[]): Sample<'Resize'> => ({
  inputs: [{ shape }],
  attributes: {
    scales,
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  },
});

export const samples: { readonly [Name in OpName]: readonly Sample<Name>[] } = {
  Identity: [anywhere],
  Neg: [anywhere],
  Exp: [anywhere],
  Log: [positive],
  Sqrt: [positive],
  Reciprocal: [awayFromZero],
  Sigmoid: [anywhere],
  Tanh: [anywhere],
  Relu: [awayFromZero],
  Erf: [anywhere],
  Gelu: [
    { inputs: [x(3, 4)], attributes: { approximate: 'none' } },
    { inputs: [x(3, 4)], attributes: { approximate: 'tanh' } },
  ],
  Cast: [
    { inputs: [{ shape: [4], values: [0.5, -1.25, 2, 3] }], attributes: { to: 'float16' } },
    { inputs: [{ shape: [4], type: 'float16', values: [0.5, -1.25, 2, 3] }], attributes: { to: 'float32' } },
    { inputs: [indices([4], -2, 0, 1, 7)], attributes: { to: 'float32' } },
    { inputs: [{ shape: [4], values: [-2.75, 0, 1.5, 7] }], attributes: { to: 'int32' } },
    { inputs: [{ shape: [4], values: [-2.75, 0, 1.5, 7] }], attributes: { to: 'bool' } },
  ],
  Add: broadcasts,
  Sub: broadcasts,
  Mul: broadcasts,
  Div: [
    plain(x(2, 3), { shape: [2, 3], domain: 'away-from-zero' }),
    plain(x(2, 3), { shape: [1], domain: 'away-from-zero' }),
    plain(x(1, 3), { shape: [2, 1], domain: 'away-from-zero' }),
    plain(x(3), { shape: [2, 2, 3], domain: 'away-from-zero' }),
  ],
  Min: broadcasts,
  Max: broadcasts,
  Greater: broadcasts,
  Equal: [
    plain(x(2, 3), x(3)),
    plain(indices([4, 1], 0, 2, 2, 1), indices([1, 3], 0, 1, 2)),
    plain({ shape: [3], values: [1, 2, 3] }, { shape: [3], values: [1, 0, 3] }),
  ],

  MatMul: [
    plain(x(2, 3), x(3, 4)),
    plain(x(2, 3, 4), x(2, 4, 2)),
    plain(x(2, 3, 4), x(4, 2)),
    plain(x(3, 4), x(2, 4, 2)),
    plain(x(2, 1, 2, 3), x(3, 3, 2)),
  ],
  Gemm: [
    gemm([x(2, 3), x(3, 4)]),
    gemm([x(2, 3), x(3, 4), x(2, 4)], [0, 0], 0.5),
    gemm([x(3, 2), x(3, 4), x(4)], [1, 0], 2, 0.5),
    gemm([x(2, 3), x(4, 3), x(2, 1)], [0, 1], -1.5),
    gemm([x(3, 2), x(4, 3), x(1, 4)], [1, 1], 3),
  ],
  Conv: [
    conv([x(2, 2, 5, 4), x(3, 2, 3, 3)], { pads: [1, 1, 1, 1] }),
    conv([x(2, 2, 5, 4), x(3, 2, 3, 3), x(3)]),
    conv([x(2, 3, 3, 4), x(2, 3, 1, 1), x(2)]),
    conv([x(1, 3, 5, 4), x(2, 3, 1, 1)], { strides: [2, 2] }),
    conv([x(1, 2, 3, 3), x(2, 2, 1, 1)], { strides: [1, 2] }),
    conv([x(1, 2, 6, 6), x(2, 2, 3, 3), x(2)], { strides: [2, 2], pads: [1, 1, 1, 1] }), // last row and column unused
    conv([x(2, 2, 7, 5), x(3, 2, 3, 3)], { strides: [2, 2], pads: [1, 1, 1, 1] }),
    conv([x(1, 2, 6, 4), x(2, 2, 3, 3)], { strides: [2, 2], pads: [0, 0, 1, 1] }),
    conv([x(1, 1, 4, 6), x(2, 1, 3, 2)], { strides: [1, 2], pads: [2, 0, 0, 1] }),
  ],
  ConvTranspose: [
    convTranspose([x(2, 3, 3, 4), x(3, 2, 3, 3)], { pads: [1, 1, 1, 1] }),
    convTranspose([x(1, 2, 3, 2), x(2, 3, 3, 3), x(3)], {
      strides: [2, 2],
      pads: [1, 1, 1, 1],
      output_padding: [1, 1],
    }),
    convTranspose([x(1, 2, 3, 2), x(2, 1, 3, 2)], { strides: [2, 1], pads: [0, 1, 1, 0] }),
  ],

  Reshape: [
    { inputs: [x(2, 3, 4)], attributes: { shape: [4, 6] } },
    { inputs: [x(6)], attributes: { shape: [1, 2, 3] } },
  ],
  Transpose: [
    { inputs: [x(2, 3)], attributes: { perm: [1, 0] } },
    { inputs: [x(2, 3, 4)], attributes: { perm: [2, 0, 1] } },
    { inputs: [x(2, 3, 2, 2)], attributes: { perm: [0, 2, 1, 3] } },
  ],
  Concat: [
    { inputs: [x(2, 1, 2), x(2, 3, 2), x(2, 2, 2)], attributes: { axis: 1 } },
    { inputs: [x(2, 3), x(2, 1)], attributes: { axis: -1 } },
    { inputs: [x(2), x(3), x(1)], attributes: { axis: 0 } },
  ],
  Slice: [
    { inputs: [x(4, 5)], attributes: { starts: [1], ends: [3], axes: [1], steps: [1] } },
    { inputs: [x(4, 5, 2)], attributes: { starts: [1, 0], ends: [4, 9], axes: [0, 1], steps: [1, 1] } },
    { inputs: [x(3, 4)], attributes: { starts: [3], ends: [-(2 ** 31)], axes: [1], steps: [-1] } },
    {
      inputs: [x(3, 4)],
      attributes: { starts: [2, 3], ends: [-9, -9], axes: [0, 1], steps: [-1, -1] },
    },
    { inputs: [x(5, 4)], attributes: { starts: [4, 1], ends: [-9, 3], axes: [0, 1], steps: [-1, 1] } },
  ],
  Pad: [
    { inputs: [x(2, 3)], attributes: { pads: [1, 0, 0, 2] } },
    { inputs: [x(1, 2, 4, 5)], attributes: { pads: [0, 0, -1, -2, 0, 0, -1, -1] } },
    { inputs: [x(3, 4)], attributes: { pads: [-1, 2, 1, -1] } },
  ],
  Expand: [
    { inputs: [x(2, 1, 3)], attributes: { shape: [2, 4, 3] } },
    { inputs: [x(3)], attributes: { shape: [2, 3] } },
    { inputs: [x(1)], attributes: { shape: [2, 3] } },
  ],
  Gather: [
    { inputs: [x(5, 3), indices([4], 2, 0, 2, 4)], attributes: { axis: 0 } },
    { inputs: [x(4, 2), indices([2, 3], 1, 1, 1, 0, 3, 1)], attributes: { axis: 0 } },
    { inputs: [x(4, 2, 2), indices([1], 3)], attributes: { axis: 0 } },
  ],
  GatherBlockQuantized: [
    {
      inputs: [bytes([2, 3, 16]), indices([3], 1, 0, 1), x(2, 3, 1)],
      attributes: { bits: 8, block_size: 16, gather_axis: 0, quantize_axis: 2 },
    },
    {
      inputs: [bytes([1, 3, 32]), indices([1], 0), x(1, 3, 2)],
      attributes: { bits: 4, block_size: 32, gather_axis: 0, quantize_axis: 2 },
    },
    {
      inputs: [bytes([1, 2, 16]), indices([1], 0), { ...x(1, 2, 1), type: 'float16', values: [0.5, -0.25] }],
      attributes: { bits: 4, block_size: 32, gather_axis: 0, quantize_axis: 2 },
    },
  ],
  Resize: [resize([1, 2, 3, 2], [1, 1, 2, 2]), resize([2, 1, 2, 2], [1, 1, 3, 3])],

  ReduceSum: reductions,
  ReduceMean: reductions,
  ReduceSumSquare: reductions,
  Softmax: [
    { inputs: [x(2, 3, 4)], attributes: { axis: -1 } },
    { inputs: [x(2, 3, 4)], attributes: { axis: 1 } },
  ],
  LayerNormalization: [
    { inputs: [x(2, 3, 4), x(4), x(4)], attributes: { axis: -1, epsilon: 1e-5 } },
    { inputs: [x(2, 3, 4), x(3, 4), x(3, 4)], attributes: { axis: 1, epsilon: 1e-5 } },
    { inputs: [x(3, 5), x(5)], attributes: { axis: 1, epsilon: 1e-3 } },
    { inputs: [x(2, 3, 4), x(3, 4)], attributes: { axis: -2, epsilon: 1e-5 } },
  ],
  InstanceNormalization: [
    { inputs: [x(2, 3, 4), x(3), x(3)], attributes: { epsilon: 1e-5 } },
    { inputs: [x(2, 3, 2, 3), x(3), x(3)], attributes: { epsilon: 1e-3 } },
  ],
};
