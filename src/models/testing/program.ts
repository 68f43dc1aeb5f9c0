// A graph in an ONNX Runtime that lives on, with its weights: for tests that run one several times. For tests only.
import { encodeModel } from '../../onnx/encode';
import type { Graph, Value } from '../../onnx/graph';
import type { OnnxRuntime } from '../../onnx/testing/onnxruntime';
import { tensor, type Tensor } from '../../onnx/testing/tensor';
import { verify } from '../../onnx/verify';
import type { Weights } from './seeded-weights';

export type Numbers = ArrayLike<number> & Iterable<number>;
export type Feeds = Readonly<Record<string, Tensor | Numbers>>;
export type Results = Readonly<Record<string, Tensor>>;

export type Program = {
  readonly graph: Graph;
  /** Every input by name, more is let through. Answers every output by name. */
  run(feeds: Feeds): Promise<Results>;
  close(): Promise<void>;
};

/** Checks and encodes `graph` and opens it; its parameters are fed on every run. */
export async function openProgram(ort: OnnxRuntime, graph: Graph, weights: Weights): Promise<Program> {
  const model = encodeModel(verify(graph), { parametersAs: 'inputs' });
  const session = await ort.InferenceSession.create(model, {
    logSeverityLevel: 3,
    executionProviders: ['cpu'], // of onnxruntime-node; onnxruntime-web means its wasm
    intraOpNumThreads: 1,
  });
  const toOrt = ({ name, type, shape }: Value, data: Numbers) => {
    if (type === 'int32') return new ort.Tensor(type, Int32Array.from(data), shape);
    if (type === 'float16') return new ort.Tensor(type, Uint16Array.from(data), shape);
    if (type === 'uint8') return new ort.Tensor(type, Uint8Array.from(data), shape);
    if (type === 'float32') return new ort.Tensor(type, Float32Array.from(data), shape);
    throw new Error(`${name} is ${type}`);
  };
  const parameters = Object.fromEntries(
    graph.parameters.map((value) => [value.name, toOrt(value, weights(value.name, value.shape))]),
  );
  return {
    graph,
    run: async (feeds) => {
      const inputs = graph.inputs.map((value) => {
        const fed = feeds[value.name];
        if (!fed) throw new Error(`${graph.name} is not fed ${value.name}`);
        return [value.name, toOrt(value, 'data' in fed ? fed.data : fed)] as const;
      });
      const results = await session.run({ ...parameters, ...Object.fromEntries(inputs) });
      return Object.fromEntries(
        Object.entries(results).map(([name, { dims, data }]) => [name, tensor(dims, data as Float32Array)]),
      );
    },
    close: () => session.release(),
  };
}

/** The outputs of one run. */
export async function runGraph(
  ort: OnnxRuntime,
  graph: Graph,
  weights: Weights,
  feeds: Feeds,
): Promise<Results> {
  const program = await openProgram(ort, graph, weights);
  try {
    return await program.run(feeds);
  } finally {
    await program.close();
  }
}
