// Against torch.optim.AdamW and clip_grad_norm_, step by step. The vector is trained in two pieces, whose norm is one.
import * as ortNode from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { floats, readFixture, type Floats } from '../models/testing/fixture';
import { openProgram, runGraph } from '../models/testing/program';
import { seededWeights } from '../models/testing/seeded-weights';
import { relativeError } from '../onnx/testing/onnxruntime';
import { tensor } from '../onnx/testing/tensor';
import { adamWGraph, momentNames } from './optimizer';

type State = { readonly theta: Floats; readonly m: Floats; readonly v: Floats };
type Fixture = {
  readonly config: {
    readonly lr: number;
    readonly betas: readonly [number, number];
    readonly eps: number;
    readonly weight_decay: number;
    readonly max_norm: number;
  };
  readonly inputs: {
    readonly theta: Floats;
    readonly gradients: readonly Floats[];
    readonly gradient_scales: readonly number[];
  };
  readonly outputs: { readonly gradient_norms: readonly number[]; readonly after_step: readonly State[] };
};

test('two vectors take the steps of one', async () => {
  const { config, inputs, outputs } = readFixture<Fixture>(import.meta.dirname, 'adamw');
  const [beta1, beta2] = config.betas;
  const { lr, eps: epsilon, weight_decay: weightDecay, max_norm: maxGradNorm } = config;
  const vectors = [
    { name: 'head', start: 0, size: 40 },
    { name: 'tail', start: 40, size: 25 },
  ];
  const graph = adamWGraph(vectors, { beta1, beta2, epsilon, weightDecay, maxGradNorm });
  const program = await openProgram(ortNode, graph, seededWeights);

  let theta = floats(inputs.theta).data;
  let m = new Float64Array(theta.length);
  let v = new Float64Array(theta.length);
  for (const [step, gradient] of inputs.gradients.entries()) {
    const grad = floats(gradient).data.map((x) => Math.fround(x * inputs.gradient_scales[step]!));
    const feeds = vectors.flatMap(({ name, start, size }) => {
      const names = momentNames(name);
      const piece = (whole: Float64Array) => whole.slice(start, start + size);
      return [
        [name, piece(theta)],
        [names.m, piece(m)],
        [names.v, piece(v)],
        [names.grad, piece(grad)],
      ] as const;
    });
    const results = await program.run({
      ...Object.fromEntries(feeds),
      learningRate: [lr],
      correction1: [1 - beta1 ** (step + 1)],
      correction2: [Math.sqrt(1 - beta2 ** (step + 1))],
    });
    const join = (key: 'next' | 'nextM' | 'nextV') =>
      Float64Array.from(vectors.flatMap(({ name }) => [...results[momentNames(name)[key]]!.data]));
    [theta, m, v] = [join('next'), join('nextM'), join('nextV')];

    const expected = outputs.after_step[step]!;
    const shape = [theta.length];
    expect(results['gradNorm']!.data[0]! / outputs.gradient_norms[step]!).toBeCloseTo(1, 5);
    expect(relativeError(tensor(shape, theta), floats(expected.theta))).toBeLessThanOrEqual(1e-6);
    expect(relativeError(tensor(shape, m), floats(expected.m))).toBeLessThanOrEqual(1e-6);
    expect(relativeError(tensor(shape, v), floats(expected.v))).toBeLessThanOrEqual(1e-6);
  }
  await program.close();
});

test('epsilon halves the step of a gradient of its size, and no gradient is no step', async () => {
  const epsilon = 1e-8;
  const options = { beta1: 0.9, beta2: 0.999, epsilon, weightDecay: 0, maxGradNorm: 1 };
  const { theta, m, v, grad, next } = { theta: 'theta', ...momentNames('theta') };
  const graph = adamWGraph([{ name: theta, size: 2 }], options);
  const results = await runGraph(ortNode, graph, seededWeights, {
    ...{ [theta]: [0, 0], [m]: [0, 0], [v]: [0, 0], [grad]: [epsilon, 0] },
    ...{ learningRate: [0.5], correction1: [1 - 0.9], correction2: [Math.sqrt(1 - 0.999)] },
  });
  expect(results[next]!.data[0]).toBeCloseTo(-0.25, 6);
  expect(results[next]!.data[1]).toBe(0);
});
