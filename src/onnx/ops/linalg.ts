// Matrix products and convolutions. Grouped convolution is left out: ONNX Runtime's WebGPU kernel for it is wrong in general.
import { broadcastShapes, commonType, inputAt, type OpSchema } from './schema';

export type LinalgAttributes = {
  MatMul: Record<never, never>;
  Gemm: { readonly alpha: number; readonly beta: number; readonly transA: 0 | 1; readonly transB: 0 | 1 };
  Conv: {
    readonly strides: readonly [number, number];
    readonly pads: readonly [number, number, number, number]; // top, left, bottom, right
    readonly dilations: readonly [number, number];
  };
  ConvTranspose: {
    readonly strides: readonly [number, number];
    readonly pads: readonly [number, number, number, number];
    readonly output_padding: readonly [number, number];
  };
};

export const linalgOps: { readonly [Name in keyof LinalgAttributes]: OpSchema<LinalgAttributes[Name]> } = {
  MatMul: {
    arity: [2, 2],
    infer: (inputs) => {
      const a = inputAt(inputs, 0).shape;
      const b = inputAt(inputs, 1).shape;
      if (a.length < 2 || b.length < 2) throw new Error('MatMul takes matrices');
      if (a.at(-1) !== b.at(-2)) throw new Error(`[${a.join()}] × [${b.join()}]`);
      return [
        {
          type: commonType(inputs),
          shape: [...broadcastShapes(a.slice(0, -2), b.slice(0, -2)), a.at(-2)!, b.at(-1)!],
        },
      ];
    },
    encoding: {},
  },
  Gemm: {
    arity: [2, 3],
    infer: (inputs, { transA, transB }) => {
      const a = inputAt(inputs, 0).shape;
      const b = inputAt(inputs, 1).shape;
      if (a.length !== 2 || b.length !== 2) throw new Error('Gemm takes matrices');
      const [m, k] = transA ? [a[1]!, a[0]!] : [a[0]!, a[1]!];
      const [kb, n] = transB ? [b[1]!, b[0]!] : [b[0]!, b[1]!];
      if (k !== kb) throw new Error(`inner dimensions ${k} and ${kb}`);
      const shape = [m, n];
      const c = inputs[2];
      if (c && broadcastShapes(c.shape, shape).join() !== shape.join())
        throw new Error(`C is [${c.shape.join()}]`);
      return [{ type: commonType(inputs), shape }];
    },
    encoding: { alpha: 'float', beta: 'float', transA: 'int', transB: 'int' },
  },
  Conv: {
    arity: [2, 3],
    infer: (inputs, { strides, pads, dilations }) => {
      const x = inputAt(inputs, 0).shape;
      const w = inputAt(inputs, 1).shape;
      if (x.length !== 4 || w.length !== 4) throw new Error('Conv takes [n, c, h, w] and [o, c, kh, kw]');
      if (x[1] !== w[1]) throw new Error(`${x[1]} channels given, ${w[1]} expected`);
      const bias = inputs[2];
      if (bias && (bias.shape.length !== 1 || bias.shape[0] !== w[0])) throw new Error('bias must be [o]');
      const side = (axis: 0 | 1) =>
        Math.floor(
          (x[2 + axis]! + pads[axis] + pads[2 + axis]! - dilations[axis] * (w[2 + axis]! - 1) - 1) /
            strides[axis],
        ) + 1;
      if (side(0) < 1 || side(1) < 1) throw new Error('the kernel is larger than the image');
      return [{ type: commonType(inputs), shape: [x[0]!, w[0]!, side(0), side(1)] }];
    },
    encoding: { strides: 'ints', pads: 'ints', dilations: 'ints' },
  },
  ConvTranspose: {
    arity: [2, 3],
    infer: (inputs, { strides, pads, output_padding }) => {
      const x = inputAt(inputs, 0).shape;
      const w = inputAt(inputs, 1).shape; // [c, o, kh, kw]
      if (x.length !== 4 || w.length !== 4)
        throw new Error('ConvTranspose takes [n, c, h, w] and [c, o, kh, kw]');
      if (x[1] !== w[0]) throw new Error(`${x[1]} channels given, ${w[0]} expected`);
      const side = (axis: 0 | 1) =>
        strides[axis] * (x[2 + axis]! - 1) +
        output_padding[axis] +
        w[2 + axis]! -
        pads[axis] -
        pads[2 + axis]!;
      return [{ type: commonType(inputs), shape: [x[0]!, w[1]!, side(0), side(1)] }];
    },
    encoding: { strides: 'ints', pads: 'ints', output_padding: 'ints' },
  },
};
