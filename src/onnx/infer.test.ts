// Shapes and types that follow from inputs, and what is refused.
import { describe, expect, test } from 'vitest';
import type { DataType, Value } from './graph';
import { inferOutputs } from './infer';
import type { OpAttributes, OpName } from './ops/ops';

const value = (name: string, shape: readonly number[], type: DataType = 'float32'): Value => ({
  name,
  type,
  shape,
});

/** Output types and shapes as text, one for each output. */
function inferred<Op extends OpName>(op: Op, inputs: (Value | undefined)[], attributes: OpAttributes[Op]) {
  return inferOutputs(op, inputs, attributes).map(({ type, shape }) => `${type}[${shape.join()}]`);
}

const conv = (over: Partial<OpAttributes['Conv']> = {}) => ({
  strides: [1, 1] as const,
  pads: [0, 0, 0, 0] as const,
  dilations: [1, 1] as const,
  ...over,
});
const x = value('x', [2, 3, 8, 7]);

describe('outputs follow from inputs', () => {
  test('broadcasting, and comparisons are bool', () => {
    const inputs = [value('a', [2, 1, 4]), value('b', [3, 1])];
    expect(inferred('Add', inputs, {})).toEqual(['float32[2,3,4]']);
    expect(inferred('Greater', inputs, {})).toEqual(['bool[2,3,4]']);
  });
  test('a batched matrix product', () => {
    expect(inferred('MatMul', [value('a', [5, 1, 2, 3]), value('b', [4, 3, 6])], {})).toEqual([
      'float32[5,4,2,6]',
    ]);
  });
  test('a convolution with stride and one-sided padding, and with dilation', () => {
    const w = value('w', [4, 3, 3, 3]);
    expect(inferred('Conv', [x, w], conv({ strides: [2, 2], pads: [0, 0, 1, 1] }))).toEqual([
      'float32[2,4,4,3]',
    ]);
    expect(inferred('Conv', [x, w], conv({ dilations: [3, 2] }))).toEqual(['float32[2,4,2,3]']);
  });
  test('a transposed convolution', () => {
    const attributes = { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 0] } as const;
    expect(inferred('ConvTranspose', [x, value('w', [3, 5, 3, 3])], attributes)).toEqual([
      'float32[2,5,16,13]',
    ]);
  });
  test('layer normalisation answers the moments too', () => {
    expect(inferred('LayerNormalization', [x, value('w', [8, 7])], { axis: -2, epsilon: 1e-5 })).toEqual([
      'float32[2,3,8,7]',
      'float32[2,3,1,1]',
      'float32[2,3,1,1]',
    ]);
  });
  test('reductions keep or drop their axes', () => {
    expect(inferred('ReduceSum', [x], { axes: [-1, 1], keepdims: 1 })).toEqual(['float32[2,1,8,1]']);
    expect(inferred('ReduceSum', [x], { axes: [-1, 1], keepdims: 0 })).toEqual(['float32[2,8]']);
  });
  test('gathered rows take the shape of their indices', () => {
    const ids = value('ids', [1, 4], 'int32');
    expect(inferred('Gather', [value('table', [10, 6]), ids], { axis: 0 })).toEqual(['float32[1,4,6]']);
  });
});

describe('what does not fit throws, naming the op, the inputs and their shapes', () => {
  test('with everything in one line', () => {
    expect(() => inferred('Add', [value('a', [2, 3]), value('b', [4], 'float32')], {})).toThrow(
      'Add(a float32[2,3], b float32[4]): [2,3] and [4] do not broadcast',
    );
    expect(() => inferred('Gemm', [x], { alpha: 1, beta: 1, transA: 0, transB: 0 })).toThrow(
      'Gemm(x float32[2,3,8,7]): 1 inputs',
    );
    expect(() => inferred('Conv', [undefined, value('w', [1, 1, 1, 1])], conv())).toThrow(
      'Conv(-, w float32[1,1,1,1]): input 0 is missing',
    );
  });

  const bad: readonly [string, () => unknown, string][] = [
    ['mixed types', () => inferred('Mul', [x, value('h', [1], 'float16')], {}), 'float32 and float16'],
    ['a vector in MatMul', () => inferred('MatMul', [value('a', [3]), value('b', [3, 2])], {}), 'matrices'],
    ['inner sizes', () => inferred('MatMul', [value('a', [2, 3]), value('b', [2, 3])], {}), '[2,3] × [2,3]'],
    [
      'inner sizes after transposition',
      () =>
        inferred('Gemm', [value('a', [2, 3]), value('b', [3, 4])], {
          alpha: 1,
          beta: 1,
          transA: 1,
          transB: 0,
        }),
      'inner dimensions 2 and 3',
    ],
    [
      'a C that would enlarge the product',
      () =>
        inferred('Gemm', [value('a', [1, 3]), value('b', [3, 4]), value('c', [2, 4])], {
          alpha: 1,
          beta: 1,
          transA: 0,
          transB: 0,
        }),
      'C is [2,4]',
    ],
    [
      'channels',
      () => inferred('Conv', [x, value('w', [4, 2, 3, 3])], conv()),
      '3 channels given, 2 expected',
    ],
    ['a kernel over the edge', () => inferred('Conv', [x, value('w', [4, 3, 9, 9])], conv()), 'larger than'],
    [
      'a bias of another size',
      () => inferred('Conv', [x, value('w', [4, 3, 1, 1]), value('b', [3])], conv()),
      'bias must be [o]',
    ],
    ['a reshape to another size', () => inferred('Reshape', [x], { shape: [2, 3] }), '[2,3,8,7] to [2,3]'],
    ['no permutation', () => inferred('Transpose', [x], { perm: [0, 1, 1, 2] }), 'perm [0,1,1,2] of rank 4'],
    [
      'unequal sides in Concat',
      () => inferred('Concat', [value('a', [2, 3]), value('b', [3, 3])], { axis: 1 }),
      '[3,3] beside [2,3]',
    ],
    ['an axis past the end', () => inferred('Concat', [x], { axis: 4 }), 'axis 4 of rank 4'],
    [
      'an empty slice',
      () => inferred('Slice', [x], { starts: [5], ends: [5], axes: [2], steps: [1] }),
      'empty slice',
    ],
    [
      'a slice from the end',
      () => inferred('Slice', [x], { starts: [-1], ends: [8], axes: [2], steps: [1] }),
      'start -1 along 2',
    ],
    [
      'part of an axis reversed',
      () => inferred('Slice', [x], { starts: [5], ends: [1], axes: [2], steps: [-1] }),
      'part of axis 2 reversed',
    ],
    ['a crop of everything', () => inferred('Pad', [value('a', [3])], { pads: [-2, -1] }), 'leave nothing'],
    [
      'an expansion that would shrink',
      () => inferred('Expand', [value('a', [3])], { shape: [1] }),
      '[3] to [1]',
    ],
    ['float indices', () => inferred('Gather', [x, value('i', [1])], { axis: 0 }), 'indices are float32'],
    ['a reduction over nothing', () => inferred('ReduceMean', [x], { axes: [], keepdims: 1 }), 'no axes'],
    [
      'a scale of another size',
      () => inferred('LayerNormalization', [x, value('w', [8])], { axis: -1, epsilon: 1e-5 }),
      'scale or bias is [8]',
    ],
    [
      'no spatial axes',
      () =>
        inferred('InstanceNormalization', [value('a', [2, 3]), value('w', [3]), value('b', [3])], {
          epsilon: 1e-5,
        }),
      '[n, c, ...]',
    ],
  ];
  test.each(bad)('%s', (_name, infer, message) => {
    expect(infer).toThrow(message);
  });
});
