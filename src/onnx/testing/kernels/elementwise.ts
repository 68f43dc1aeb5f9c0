// Reference kernels of elementwise ops. For tests only.
import type { ElementwiseAttributes } from '../../ops/elementwise';
import { offsets, repeatingStrides } from '../tensor';
import type { Kernel, Kernels } from './kernel';

type Unary = Kernel<'Neg'>;
type Binary = Kernel<'Add'>;

/** erf(x) = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (1·3·5···(2n+1)), a sum of terms of one sign (Abramowitz and Stegun 7.1.6). */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x); // 1 − erf(6) is below 2⁻⁵³
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const unary =
  (f: (x: number) => number): Unary =>
  ([x]) => [x!.data.map(f)];

const binary =
  (f: (x: number, y: number) => number): Binary =>
  ([x, y], _attributes, [shape]) => {
    const xAt = offsets(shape!, repeatingStrides(x!.shape, shape!.length));
    const yAt = offsets(shape!, repeatingStrides(y!.shape, shape!.length));
    return [Float64Array.from(xAt, (at, i) => f(x!.data[at]!, y!.data[yAt[i]!]!))];
  };

const gelu = {
  none: (x: number) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
  tanh: (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};

export const elementwiseKernels: Kernels<ElementwiseAttributes> = {
  Identity: unary((x) => x),
  Neg: unary((x) => -x),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Sqrt: unary(Math.sqrt),
  Reciprocal: unary((x) => 1 / x),
  Sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  Tanh: unary(Math.tanh),
  Relu: unary((x) => Math.max(x, 0)),
  Erf: unary(erf),
  Gelu: ([x], { approximate }) => [x!.data.map(gelu[approximate])],
  Cast: ([x], { to }) => {
    if (to === 'float32' || to === 'float16') return [x!.data]; // float types are all float64 here
    return [x!.data.map(to === 'bool' ? (value) => Number(value !== 0) : Math.trunc)];
  },
  Add: binary((x, y) => x + y),
  Sub: binary((x, y) => x - y),
  Mul: binary((x, y) => x * y),
  Div: binary((x, y) => x / y),
  Min: binary(Math.min),
  Max: binary(Math.max),
  Greater: binary((x, y) => Number(x > y)),
  Equal: binary((x, y) => Number(x === y)),
};
