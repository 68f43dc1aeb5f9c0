// Encoded models, run by ONNX Runtime (native and WebAssembly), against the reference interpreter.
import * as ortNode from 'onnxruntime-node';
import * as ortWeb from 'onnxruntime-web';
import { beforeAll, describe, expect, test } from 'vitest';
import { GraphBuilder } from './builder';
import { encodeModel, type ExternalLocation } from './encode';
import { byteSizeOf, type Graph } from './graph';
import { add, conv, matMul, reduceMean, relu, reshape } from './operators';
import { runModel, worstError, type OnnxRuntime } from './testing/onnxruntime';
import { interpret } from './testing/reference-interpreter';
import { buildSample, finishSample, forEachSample, titleOf } from './testing/sample-graph';
import { tensor, type Tensor } from './testing/tensor';
import { verify } from './verify';

const runtimes: Readonly<Record<string, OnnxRuntime>> = {
  'onnxruntime-node': ortNode,
  'onnxruntime-web': ortWeb, // its WebAssembly build for Node
};

beforeAll(() => {
  ortWeb.env.wasm.numThreads = 1;
});

/** The parameters' data in one file, each from a multiple of 64 bytes, and where each one lies. */
function packParameters(graph: Graph, feeds: Readonly<Record<string, Tensor>>) {
  const locations = new Map<string, ExternalLocation>();
  let end = 0;
  for (const parameter of graph.parameters) {
    locations.set(parameter.name, { location: 'weights.bin', offset: end, length: byteSizeOf(parameter) });
    end += Math.ceil(byteSizeOf(parameter) / 64) * 64;
  }
  const file = new Uint8Array(end);
  for (const [name, { offset }] of locations)
    file.set(new Uint8Array(Float32Array.from(feeds[name]!.data).buffer), offset);
  return { file, locate: (name: string) => locations.get(name)! };
}

describe.each(Object.entries(runtimes))('%s runs', (_name, ort) => {
  const asInputs = (graph: Graph, feeds: Readonly<Record<string, Tensor>>) =>
    runModel(
      ort,
      encodeModel(graph, { parametersAs: 'inputs' }),
      [...graph.inputs, ...graph.parameters],
      feeds,
    );
  const asExternalData = (graph: Graph, feeds: Readonly<Record<string, Tensor>>) => {
    const { file, locate } = packParameters(graph, feeds);
    return runModel(ort, encodeModel(graph, { parametersAs: locate }), graph.inputs, feeds, {
      externalData: [{ path: 'weights.bin', data: file }],
    });
  };

  forEachSample((op, sample) => {
    test(titleOf(op, sample), async () => {
      const built = buildSample(op, sample);
      const graph = verify(finishSample(built));
      const expected = interpret(graph, built.feeds);
      expect(worstError(await asInputs(graph, built.feeds), expected)).toBeLessThanOrEqual(1e-5);
      if (graph.parameters.length === 0) return; // whole numbers are inputs
      expect(worstError(await asExternalData(graph, built.feeds), expected)).toBeLessThanOrEqual(1e-5);
    });
  });

  test('a graph with inputs, parameters, constants and several outputs', async () => {
    const b = new GraphBuilder('several');
    const x = b.input('x', 'float32', [2, 2, 4, 4]);
    const hidden = relu(b, conv(b, x, b.parameter('w', [3, 2, 3, 3]), b.parameter('b', [3]), { padding: 1 }));
    const means = reshape(b, reduceMean(b, hidden, [2, 3]), [2, 3]);
    const table = b.constant(
      Float32Array.from({ length: 300 }, (_, i) => i / 100),
      [3, 100],
    );
    const graph = verify(b.finish({ shifted: add(b, means, b.scalar(2)), wide: matMul(b, means, table) }));
    const ramp = (length: number) => Float32Array.from({ length }, (_, i) => Math.fround(Math.sin(i)));
    const feeds = {
      x: tensor([2, 2, 4, 4], ramp(64)),
      w: tensor([3, 2, 3, 3], ramp(54)),
      b: tensor([3], ramp(3)),
    };
    const expected = interpret(graph, feeds);
    expect(Object.keys(expected)).toEqual(['shifted', 'wide']);
    expect(worstError(await asInputs(graph, feeds), expected)).toBeLessThanOrEqual(1e-5);
    expect(worstError(await asExternalData(graph, feeds), expected)).toBeLessThanOrEqual(1e-5);
  });
});

test('one graph encodes to the same bytes every time, within a few bytes a node and without the parameters', () => {
  const encode = () => {
    const b = new GraphBuilder('big');
    const x = b.input('x', 'float32', [1, 1000]);
    const y = matMul(b, x, b.parameter('w', [1000, 1000]));
    return encodeModel(b.finish({ y }), {
      parametersAs: () => ({ location: 'file', offset: 2 ** 40, length: 4_000_000 }),
    });
  };
  expect(encode()).toEqual(encode());
  expect(encode().length).toBeLessThan(300);
});
