import * as ort from 'onnxruntime-web';
import { beforeAll, describe, expect, test } from 'vitest';
import { floatToHalf } from '../base/float16';
import { createGate } from '../base/gate';
import { GraphBuilder } from '../onnx/builder';
import type { Graph } from '../onnx/graph';
import { add, cast, expand, gather, gemm, reduceSum } from '../onnx/operators';
import type { OrtEngine } from './ort';
import type { ParameterSource, Runtime } from './runtime';
import { createWasmRuntime } from './wasm';

let engine: OrtEngine;

beforeAll(() => {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  engine = { ort, gate: createGate(), threads: 1 };
});

const signal = new AbortController().signal;
const weights = Float32Array.of(1, 2, 3, 4, 5, 6); // [2, 3]
const bias = Float32Array.of(0.5, -1, 0.25);

const source = (
  name: string,
  shape: readonly number[],
  data: Float32Array<ArrayBuffer>,
): ParameterSource => ({
  name,
  type: 'float32',
  shape,
  read: () => Promise.resolve(new Uint8Array(data.slice().buffer)),
});

const halfSource = (name: string, shape: readonly number[], data: Float32Array): ParameterSource => ({
  name,
  type: 'float16',
  shape,
  read: () => Promise.resolve(new Uint8Array(floatToHalf(data).buffer)),
});

const layerSources = [source('net.weight', [2, 3], weights), source('net.bias', [3], bias)];

/** y = x · weight + bias on `rows` rows. */
function layerGraph(rows: number): Graph {
  const b = new GraphBuilder(`layer ${rows}`);
  const x = b.input('x', 'float32', [rows, 2]);
  const c = b.parameter('net.bias', [3]);
  return b.finish({ y: gemm(b, x, b.parameter('net.weight', [2, 3]), { c }) });
}

const upload = (runtime: Runtime, shape: readonly number[], ...values: number[]) =>
  runtime.upload('test', 'float32', shape, Float32Array.from(values));

const load = (runtime: Runtime, sources: readonly ParameterSource[]) =>
  runtime.loadParameters('net', sources, () => {}, signal);

describe('the wasm runtime', () => {
  test('runs one graph twice with different inputs', async () => {
    const runtime = createWasmRuntime(engine);
    const program = await runtime.compile('layer', layerGraph(1), [await load(runtime, layerSources)]);
    const first = await program.run({ x: upload(runtime, [1, 2], 1, 0) });
    const second = await program.run({ x: upload(runtime, [1, 2], 1, 10) });
    expect(await runtime.read(first['y']!)).toEqual(Float32Array.of(1.5, 1, 3.25));
    expect(await runtime.read(second['y']!)).toEqual(Float32Array.of(41.5, 51, 63.25));
    await program.dispose();
  });

  test('compiles several programs from weights that were read once', async () => {
    const runtime = createWasmRuntime(engine);
    let reads = 0;
    const counted = layerSources.map((one) => ({ ...one, read: () => (reads++, one.read()) }));
    const loaded = await load(runtime, counted);
    const one = await runtime.compile('one', layerGraph(1), [loaded]);
    const two = await runtime.compile('two', layerGraph(2), [loaded]);
    const y = await one.run({ x: upload(runtime, [1, 2], 0, 1) });
    const z = await two.run({ x: upload(runtime, [2, 2], 0, 1, 1, 1) });
    expect(await runtime.read(y['y']!)).toEqual(Float32Array.of(4.5, 4, 6.25));
    expect(await runtime.read(z['y']!)).toEqual(Float32Array.of(4.5, 4, 6.25, 5.5, 6, 9.25));
    expect(reads).toBe(2);
    await one.dispose();
    await two.dispose();
  });

  test('takes weights of several components', async () => {
    const runtime = createWasmRuntime(engine);
    const b = new GraphBuilder('sum');
    const graph = b.finish({
      y: add(b, b.parameter('a.x', [3]), add(b, b.parameter('b.x', [3]), b.input('x', 'float32', [3]))),
    });
    const one = await runtime.loadParameters('a', [source('a.x', [3], bias)], () => {}, signal);
    const other = await runtime.loadParameters(
      'b',
      [source('b.x', [3], Float32Array.of(1, 2, 3))],
      () => {},
      signal,
    );
    const program = await runtime.compile('sum', graph, [one, other]);
    const { y } = await program.run({ x: upload(runtime, [3], 10, 20, 30) });
    expect(await runtime.read(y!)).toEqual(Float32Array.of(11.5, 21, 33.25));
    await program.dispose();
  });

  test('keeps float16 weights as float32, or as float16 where the source says so', async () => {
    const runtime = createWasmRuntime(engine);
    const exact = Float32Array.of(1 / 3, 65504, 6e-8, -2); // a third and 6e-8 are rounded
    const rounded = Float32Array.of(0.333251953125, 65504, 2 ** -24, -2);
    const b = new GraphBuilder('read weights');
    const x = b.input('x', 'float32', [4]);
    const graph = b.finish({
      whole: add(b, x, b.parameter('net.whole', [4])),
      half: add(b, x, cast(b, b.parameter('net.half', [4], 'float16'), 'float32')),
    });
    const loaded = await load(runtime, [
      halfSource('net.whole', [4], exact),
      { ...halfSource('net.half', [4], exact), storedAs: 'float16' },
    ]);
    expect(loaded.sizeBytes).toBe(16 + 8);
    const program = await runtime.compile('read weights', graph, [loaded]);
    const { whole, half } = await program.run({ x: runtime.zeros('test', 'float32', [4]) });
    expect(await runtime.read(whole!)).toEqual(rounded);
    expect(await runtime.read(half!)).toEqual(rounded);
    await program.dispose();
  });

  test('hands float16, int64 and bool tensors through as their bits', async () => {
    const runtime = createWasmRuntime(engine);
    const b = new GraphBuilder('bits');
    const graph = b.finish({
      half: b.node('Identity', [b.input('half_in', 'float16', [2])], {}),
      long: b.node('Identity', [b.input('long_in', 'int64', [2])], {}),
      flag: b.node('Identity', [b.input('flag_in', 'bool', [2])], {}),
    });
    const program = await runtime.compile('bits', graph, []);
    const outputs = await program.run({
      half_in: runtime.upload('test', 'float16', [2], Uint16Array.of(0x3c00, 0xc000)),
      long_in: runtime.upload('test', 'int64', [2], BigInt64Array.of(-1n, 2n ** 40n)),
      flag_in: runtime.upload('test', 'bool', [2], Uint8Array.of(1, 0)),
    });
    expect(await runtime.read(outputs['half']!)).toEqual(Uint16Array.of(0x3c00, 0xc000));
    expect(await runtime.read(outputs['long']!)).toEqual(BigInt64Array.of(-1n, 2n ** 40n));
    expect(await runtime.read(outputs['flag']!)).toEqual(Uint8Array.of(1, 0));
    await program.dispose();
  });

  test('writes outputs into given tensors, and what was read before stays as it was', async () => {
    const runtime = createWasmRuntime(engine);
    const program = await runtime.compile('layer', layerGraph(1), [await load(runtime, layerSources)]);
    const state = upload(runtime, [1, 3], 7, 8, 9);
    const before = await runtime.read(state);
    const outputs = await program.run({ x: upload(runtime, [1, 2], 1, 0) }, { y: state });
    expect(outputs['y']).toBe(state);
    expect(await runtime.read(state)).toEqual(Float32Array.of(1.5, 1, 3.25));
    expect(before).toEqual(Float32Array.of(7, 8, 9));
    await program.dispose();
  });

  test('copies one tensor over another', async () => {
    const runtime = createWasmRuntime(engine);
    const from = upload(runtime, [2], 1, 2);
    const to = runtime.zeros('test', 'float32', [2]);
    runtime.copy(from, to);
    from.dispose();
    expect(await runtime.read(to)).toEqual(Float32Array.of(1, 2));
  });

  test('a failed run names the program and the next run is good', async () => {
    const runtime = createWasmRuntime(engine);
    const b = new GraphBuilder('pick');
    const graph = b.finish({ y: gather(b, b.parameter('net.bias', [3]), b.input('at', 'int32', [1])) });
    const program = await runtime.compile('pick rows', graph, [await load(runtime, layerSources)]);
    const at = (index: number) => ({ at: runtime.upload('test', 'int32', [1], Int32Array.of(index)) });
    const failing = program.run(at(99));
    const following = program.run(at(1)); // asked for while the failing one still runs
    await expect(failing).rejects.toMatchObject({ code: 'engine-failed', details: { what: 'pick rows' } });
    expect(await runtime.read((await following)['y']!)).toEqual(Float32Array.of(-1));
    await program.dispose();
  });

  test.each([
    ['more than wasm can address', 2 ** 29],
    ['more than is left of the heap', 2 ** 29 - 2 ** 20],
  ])('a run that needs %s is out of memory, and others go on', async (_, rows) => {
    const runtime = createWasmRuntime(engine);
    const b = new GraphBuilder('huge');
    const wide = expand(b, b.input('x', 'float32', [1, 2]), [rows, 2]);
    const huge = await runtime.compile('huge step', b.finish({ y: reduceSum(b, wide, [0, 1]) }), []);
    const layer = await runtime.compile('layer', layerGraph(1), [await load(runtime, layerSources)]);
    const x = upload(runtime, [1, 2], 1, 0);
    await expect(huge.run({ x })).rejects.toMatchObject({
      code: 'out-of-memory',
      details: { what: 'huge step' },
    });
    expect(await runtime.read((await layer.run({ x }))['y']!)).toEqual(Float32Array.of(1.5, 1, 3.25));
    await huge.dispose();
    await layer.dispose();
  });

  test('runs calls in the order in which they were made', async () => {
    const runtime = createWasmRuntime(engine);
    const order: number[] = [];
    const loaded = await load(runtime, layerSources);
    const program = await runtime.compile('layer', layerGraph(1), [loaded]);
    const tensors = [1, 2, 3, 4].map((value) => upload(runtime, [1, 2], value, 0));
    const runs = tensors.map(async (x, i) => {
      const { y } = await program.run({ x });
      order.push(i);
      return (await runtime.read(y!))[0];
    });
    const disposed = program.dispose().then(() => order.push(99));
    expect(await Promise.all(runs)).toEqual([1.5, 2.5, 3.5, 4.5]);
    await disposed;
    expect(order).toEqual([0, 1, 2, 3, 99]);
    await expect(program.run({ x: tensors[0]! })).rejects.toThrow('disposed');
  });

  test('books memory by label and everything is given back', async () => {
    const runtime = createWasmRuntime(engine);
    const loaded = await load(runtime, layerSources);
    const program = await runtime.compile('layer', layerGraph(1), [loaded]);
    const x = runtime.upload('inputs', 'float32', [1, 2], Float32Array.of(1, 2));
    const outputs = await program.run({ x });
    expect(runtime.memory()).toMatchObject({ 'net weights': 36, inputs: 8 });
    expect(runtime.memory()['layer']).toBeGreaterThan(36 + 12); // its copy of the weights, its model, its output
    for (const tensor of [x, ...Object.values(outputs)]) tensor.dispose();
    x.dispose(); // twice counts once
    await program.dispose();
    loaded.dispose();
    expect(runtime.memory()).toEqual({});
  });

  test('aborted loading rejects with the reason, keeps nothing and reports what was loaded', async () => {
    const runtime = createWasmRuntime(engine);
    const controller = new AbortController();
    const progress: number[] = [];
    const onProgress = (loadedBytes: number) => {
      progress.push(loadedBytes);
      controller.abort();
    };
    const loading = runtime.loadParameters('net', layerSources, onProgress, controller.signal);
    await expect(loading).rejects.toMatchObject({ name: 'AbortError' });
    expect(progress).toEqual([24]);
    expect(runtime.memory()).toEqual({});
  });

  test('weights that no array can hold are out of memory', async () => {
    const runtime = createWasmRuntime(engine);
    const loading = load(runtime, [source('net.weight', [2 ** 26, 2 ** 26], weights)]);
    await expect(loading).rejects.toMatchObject({
      code: 'out-of-memory',
      details: { what: 'net weights' },
    });
  });

  test('refuses what does not fit the graph', async () => {
    const runtime = createWasmRuntime(engine);
    const loaded = await load(runtime, layerSources);
    const program = await runtime.compile('layer', layerGraph(1), [loaded]);
    const x = upload(runtime, [1, 2], 1, 2);
    await expect(program.run({})).rejects.toThrow('x is missing, not float32 [1,2]');
    await expect(program.run({ x: upload(runtime, [2], 1, 2) })).rejects.toThrow('x is float32 [2]');
    await expect(program.run({ x, z: x })).rejects.toThrow('1 inputs, 2 were given');
    await expect(program.run({ x }, { y: x })).rejects.toThrow('y is float32 [1,2], not float32 [1,3]');
    await expect(runtime.compile('none', layerGraph(1), [])).rejects.toThrow('net.bias is not loaded');
    expect(() => runtime.upload('test', 'int32', [2], Float32Array.of(1, 2))).toThrow('int32');
    expect(() => runtime.upload('test', 'float32', [3], Float32Array.of(1, 2))).toThrow('2 elements');
    await program.dispose();
  });
});
