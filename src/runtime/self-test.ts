// A small graph with the three heaviest kernels of our models, compared with plain TypeScript: a GPU driver that computes wrong
// numbers is found before it spoils a training run.
import { GraphBuilder } from '../onnx/builder';
import { sizeOf, type Graph, type Shape } from '../onnx/graph';
import { conv, matMul, reshape, softmax } from '../onnx/operators';
import type { Parameters, ParameterSource, Program, Runtime } from './runtime';

const tolerance = 1e-4; // absolute; the outputs are of the order of 1, float32 sums of 32 products are good to 1e-6

const rows = 20; // not a multiple of the kernels' tiles
const inner = 32;
const columns = 18; // 20 × 18 = 2 channels of 12 × 15
const image: Shape = [1, 2, 12, 15];
const kernel: Shape = [5, 2, 3, 3];

/** Numbers in (-1, 1), always the same: the low-discrepancy sequence of the golden ratio. */
const numbers = (shape: Shape, offset: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: sizeOf(shape) }, (_, i) => 2 * (((i + offset) * 0.6180339887) % 1) - 1);

const x = numbers([rows, inner], 1);
const weight = numbers([inner, columns], 1000);
const kernelData = numbers(kernel, 2000);

const source = (name: string, shape: Shape, data: Float32Array<ArrayBuffer>): ParameterSource => ({
  name,
  type: 'float32',
  shape,
  read: () => Promise.resolve(new Uint8Array(data.slice().buffer)),
});

function buildGraph(): Graph {
  const b = new GraphBuilder('self-test');
  const input = b.input('x', 'float32', [rows, inner]);
  const product = matMul(b, input, b.parameter('test.weight', [inner, columns]));
  const probabilities = softmax(b, product);
  const picture = reshape(b, probabilities, image);
  const result = conv(b, picture, b.parameter('test.kernel', kernel), undefined, { padding: 1 });
  return b.finish({ probabilities, result });
}

/** Runs the test on `runtime`. Answers '' when the numbers are right, else what is wrong in words; rejects when a call fails. */
export async function selfTest(runtime: Runtime): Promise<string> {
  let parameters: Parameters | undefined;
  let program: Program | undefined;
  try {
    const sources = [
      source('test.weight', [inner, columns], weight),
      source('test.kernel', kernel, kernelData),
    ];
    parameters = await runtime.loadParameters('test', sources, () => {}, new AbortController().signal);
    program = await runtime.compile('self-test', buildGraph(), [parameters]);
    const input = runtime.upload('self-test', 'float32', [rows, inner], x);
    const outputs = await program.run({ x: input });
    const probabilities = (await runtime.read(outputs['probabilities']!)) as Float32Array;
    const result = (await runtime.read(outputs['result']!)) as Float32Array;
    for (const tensor of [input, ...Object.values(outputs)]) tensor.dispose();
    const expected = plainSoftmax(plainMatMul());
    const softmaxError = largestDifference(probabilities, expected);
    if (!(softmaxError <= tolerance)) return `MatMul and Softmax are off by ${softmaxError}`;
    const convError = largestDifference(result, plainConv(expected));
    if (!(convError <= tolerance)) return `Conv is off by ${convError}`;
    return '';
  } finally {
    await program?.dispose();
    parameters?.dispose();
  }
}

/** The largest of |a − b|; NaN where one of them is. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < b.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

function plainMatMul(): Float64Array {
  const product = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      for (let k = 0; k < inner; k++)
        product[row * columns + column]! += x[row * inner + k]! * weight[k * columns + column]!;
  return product;
}

function plainSoftmax(logits: Float64Array): Float64Array {
  const probabilities = logits.map(Math.exp);
  for (let start = 0; start < probabilities.length; start += columns) {
    const row = probabilities.subarray(start, start + columns);
    const sum = row.reduce((total, value) => total + value, 0);
    for (let i = 0; i < columns; i++) row[i]! /= sum;
  }
  return probabilities;
}

/** A 3 × 3 convolution with padding 1 of `picture`, shaped `image`. */
function plainConv(picture: Float64Array): Float64Array {
  const [, channels, height, width] = image as [number, number, number, number];
  const result = new Float64Array(kernel[0]! * height * width);
  let at = 0;
  for (let output = 0; output < kernel[0]!; output++)
    for (let y = 0; y < height; y++)
      for (let column = 0; column < width; column++, at++)
        for (let channel = 0; channel < channels; channel++)
          for (let tap = 0; tap < 9; tap++) {
            const sourceY = y + Math.floor(tap / 3) - 1;
            const sourceX = column + (tap % 3) - 1;
            if (sourceY < 0 || sourceY >= height || sourceX < 0 || sourceX >= width) continue;
            result[at]! +=
              picture[(channel * height + sourceY) * width + sourceX]! *
              kernelData[(output * channels + channel) * 9 + tap]!;
          }
  return result;
}
