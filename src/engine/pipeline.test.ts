import { beforeAll, expect, test } from 'vitest';
import { GraphBuilder } from '../onnx/builder';
import type { Graph } from '../onnx/graph';
import { add } from '../onnx/operators';
import type { BaseModel } from './base-model';
import { Pipeline } from './pipeline';
import { bundledModel, openNodeRuntime } from './testing/bundled';

let model: BaseModel;
beforeAll(async () => {
  model = await bundledModel();
});

/** y = x + i. */
function plus(i: number): Graph {
  const b = new GraphBuilder(`plus ${i}`);
  return b.finish({ y: add(b, b.input('x', 'float32', [1]), b.scalar(i)) });
}

/** A pipeline with a list of what it compiled, and a way to use a program. */
function watched() {
  const own = openNodeRuntime();
  const compiled: string[] = [];
  const runtime: typeof own = {
    ...own,
    compile: (label, graph, parameters) => {
      compiled.push(graph.name);
      return own.compile(label, graph, parameters);
    },
  };
  const pipeline = new Pipeline(runtime, model);
  const x = own.upload('x', 'float32', [1], Float32Array.of(100));
  const program = (i: number) => pipeline.program(`plus ${i}`, 'program', [], () => plus(i));
  const use = async (i: number) => {
    const { y } = await (await program(i)).run({ x });
    return (await own.read(y!))[0];
  };
  return { pipeline, compiled, program, use, runtime };
}

test('a graph is compiled once, also for calls at the same time', async () => {
  const { compiled, use } = watched();
  expect(await Promise.all([use(1), use(1), use(2)])).toEqual([101, 101, 102]);
  expect(await use(1)).toBe(101);
  expect(compiled).toEqual(['plus 1', 'plus 2']);
});

test('twelve are kept; the one used longest ago goes first, and a run that was called before is done', async () => {
  const { compiled, use, runtime } = watched();
  for (let i = 0; i < 12; i++) await use(i);
  const size = runtime.memory()['program']!;
  const running = use(0); // the newest now: 1 goes
  expect(await use(12)).toBe(112);
  expect(await running).toBe(100);
  expect(runtime.memory()['program']! / size).toBeCloseTo(1, 1);
  compiled.length = 0;
  await use(0);
  expect(compiled).toEqual([]);
  await use(1);
  expect(compiled).toEqual(['plus 1']);
});

test('what failed is tried again', async () => {
  const { pipeline, use } = watched();
  let tries = 0;
  const failing = () =>
    pipeline.program('plus 3', 'program', [], () => {
      tries++;
      throw new Error('no such graph');
    });
  await expect(failing()).rejects.toThrow('no such graph');
  await expect(failing()).rejects.toThrow('no such graph');
  expect(tries).toBe(2);
  expect(await use(3)).toBe(103);
});

test('weights are loaded once for all graphs and freed in the end', async () => {
  const { pipeline, use, runtime } = watched();
  const [one, other] = await Promise.all([pipeline.parameters('vae'), pipeline.parameters('vae')]);
  expect(one).toBe(other);
  expect(runtime.memory()['vae weights']).toBe(
    model.sources.vae.reduce((sum, { shape }) => sum + 4 * shape.reduce((product, n) => product * n, 1), 0),
  );
  await use(1);
  await pipeline.dispose();
  expect(Object.keys(runtime.memory()).filter((label) => !['x', 'program'].includes(label))).toEqual([]);
});
