// May pictures be computed in float16? ONNX Runtime's kernels then also add up in float16, and how well that goes depends on the GPU and
// its driver. So the kernels of a UNet run once in both types, at the sizes of Stable Diffusion, where the sums are longest.
import { torchRandn } from '../base/random';
import { GraphBuilder } from '../onnx/builder';
import { sizeOf, type FloatType, type Graph, type Shape, type Value } from '../onnx/graph';
import { convProduct, linearProduct } from '../onnx/long-sums';
import { cast, gelu, matMul, mul, reshape, sigmoid, softmax } from '../onnx/operators';
import type { DeviceTensor, Runtime } from './runtime';
import { largestDifference } from './self-test';

const tolerance = 2e-2; // of the largest value; a driver that computes wrong is off by far more

type Kernel = {
  readonly inputs: readonly { readonly shape: Shape; readonly spread: number; readonly mean?: number }[];
  readonly build: (b: GraphBuilder, inputs: readonly Value[]) => Value;
};

const gain = (fanIn: number) => Math.sqrt(1 / fanIn); // sums of fanIn products are of the order of 1

const kernels: Readonly<Record<string, Kernel>> = {
  Gemm: {
    inputs: [
      { shape: [16, 5120], spread: 1 },
      { shape: [40, 5120], spread: gain(5120) },
      { shape: [40], spread: 0.1 },
    ],
    build: (b, [x, weight, bias]) => gelu(b, linearProduct(b, x!, weight!, bias)),
  },
  Conv: {
    inputs: [
      { shape: [1, 640, 8, 8], spread: 1, mean: 0.2 }, // what follows a SiLU has a mean
      { shape: [16, 640, 3, 3], spread: gain(640 * 9) },
    ],
    build: (b, [x, weight]) => {
      const y = convProduct(b, x!, weight!, undefined, { padding: 1 });
      return mul(b, y, sigmoid(b, y));
    },
  },
  'MatMul and Softmax': {
    inputs: [
      { shape: [1, 2, 16, 40], spread: gain(40) },
      { shape: [1, 2, 40, 4096], spread: 2 },
      { shape: [1, 2, 4096, 40], spread: 1 },
    ],
    build: (b, [queries, keys, values]) => matMul(b, softmax(b, matMul(b, queries!, keys!)), values!),
  },
  LayerNormalization: {
    inputs: [
      { shape: [16, 1280], spread: 5, mean: 2 },
      { shape: [1280], spread: 0.2, mean: 1 },
      { shape: [1280], spread: 0.2 },
    ],
    build: (b, inputs) => b.node('LayerNormalization', inputs, { axis: -1, epsilon: 1e-5 }),
  },
  InstanceNormalization: {
    inputs: [
      { shape: [1, 4, 10 * 64 * 64], spread: 5, mean: 2 }, // groups of 320 channels at 64 × 64
      { shape: [4], spread: 0.2, mean: 1 },
      { shape: [4], spread: 0.2 },
    ],
    build: (b, inputs) => b.node('InstanceNormalization', inputs, { epsilon: 1e-5 }),
  },
};

const normals = (seed: number, length: number, spread: number, mean: number): Float32Array<ArrayBuffer> =>
  torchRandn(seed, length).map((x) => mean + spread * x);

function buildGraph({ inputs, build }: Kernel, type: FloatType): Graph {
  const b = new GraphBuilder(`self-test ${type}`);
  const values = inputs.map(({ shape }, i) => cast(b, b.input(`x${i}`, 'float32', shape), type));
  const y = cast(b, build(b, values), 'float32');
  return b.finish({ y: reshape(b, y, [sizeOf(y.shape)]) });
}

async function compute(runtime: Runtime, kernel: Kernel, type: FloatType): Promise<Float32Array> {
  const program = await runtime.compile('self-test', buildGraph(kernel, type), []);
  try {
    const inputs: Record<string, DeviceTensor> = {};
    for (const [i, { shape, spread, mean = 0 }] of kernel.inputs.entries())
      inputs[`x${i}`] = runtime.upload(
        'self-test',
        'float32',
        shape,
        normals(i, sizeOf(shape), spread, mean),
      );
    const { y } = await program.run(inputs);
    const values = Float32Array.from((await runtime.read(y!)) as Float32Array);
    for (const tensor of [y!, ...Object.values(inputs)]) tensor.dispose();
    return values;
  } finally {
    await program.dispose();
  }
}

/** Answers '' where float16 is as good as it should be on `runtime`, else what is wrong in words; rejects when a call fails. */
export async function halfSelfTest(runtime: Runtime): Promise<string> {
  for (const [name, kernel] of Object.entries(kernels)) {
    const expected = await compute(runtime, kernel, 'float32');
    const actual = await compute(runtime, kernel, 'float16');
    const largest = largestDifference(expected, new Float32Array(expected.length));
    const error = largestDifference(actual, expected) / largest;
    if (!(error <= tolerance)) return `${name} in float16 is off by ${error.toPrecision(2)}`;
  }
  return '';
}
