// Whole training runs, the losses, gradient norms and weights of PyTorch's: three steps of a small model, twenty of the bundled one.
import * as ortNode from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { differentiate, gradName } from '../autodiff/segments';
import { addNoiseCoefficients, parseSchedule, targetCoefficients } from '../diffusion/schedule';
import { parseClipTextConfig } from '../models/clip/config';
import { loraTargets } from '../models/lora';
import { textGraph } from '../models/stable-diffusion';
import { bundledJson, bundledWeights } from '../models/testing/bundled-weights';
import { floats, readFixture, type Floats, type LoraNote } from '../models/testing/fixture';
import { packedVectors, unpackedVectors } from '../models/testing/lora-vectors';
import { openProgram, runGraph, type Feeds, type Numbers } from '../models/testing/program';
import { randn, seededWeights } from '../models/testing/seeded-weights';
import { parseUnetConfig } from '../models/unet/config';
import { timeFeatures } from '../models/unet/time-features';
import { packSize } from '../onnx/packing';
import { tensor, type Tensor } from '../onnx/testing/tensor';
import { learningRateAt } from './learning-rate';
import { buildLossGraph } from './loss-graph';
import { adamWGraph, momentNames } from './optimizer';

type Step = {
  readonly latents: readonly Floats[];
  readonly noise: Floats;
  readonly timesteps: readonly number[];
};
type WeightsFile = { readonly file: string; readonly sha256: string };
type Fixture = {
  readonly weights: 'seeded' | readonly [WeightsFile, WeightsFile]; // UNet, text encoder
  readonly settings: {
    readonly lora: LoraNote;
    readonly prior_weight: number;
    readonly adamw: {
      readonly lr: number;
      readonly betas: readonly [number, number];
      readonly eps: number;
      readonly weight_decay: number;
    };
    readonly max_norm: number;
    readonly scheduler: unknown;
  };
  readonly config: unknown;
  readonly inputs: {
    readonly steps: readonly Step[];
    readonly ids?: readonly (readonly number[])[];
    readonly encoder_hidden_states?: Floats;
  };
  readonly outputs: {
    readonly losses: readonly number[];
    readonly gradient_norms: readonly number[];
    readonly first_batch_afterwards: readonly [number, number];
    readonly change_norm: number;
    readonly change?: Floats; // the whole of it, or every change_stride-th number
    readonly change_stride?: number;
    readonly change_sample?: Floats;
  };
};

/** What the UNet is told: one text for the photo and one for the class picture. */
async function contextOf({ weights, inputs }: Fixture): Promise<Tensor> {
  if (weights === 'seeded') return floats(inputs.encoder_hidden_states!);
  const config = parseClipTextConfig(bundledJson('text_encoder/config.json'));
  const { graph } = textGraph(config, inputs.ids!.length);
  const results = await runGraph(ortNode, graph, bundledWeights(weights[1]), { ids: inputs.ids!.flat() });
  return results['context']!;
}

/** Noisy latents and what is to be predicted, photo first. */
function batchOf(fixture: Fixture, { latents, noise, timesteps }: Step): Feeds {
  const schedule = parseSchedule(fixture.settings.scheduler);
  const clean = latents.flatMap((latent) => [...floats(latent).data]);
  const { data, shape } = floats(noise);
  const mixed = (coefficients: typeof addNoiseCoefficients) =>
    data.map((n, i) => {
      const { x0, noise: ratio } = coefficients(schedule, timesteps[Math.floor((i * 2) / data.length)]!);
      return x0 * clean[i]! + ratio * n;
    });
  return {
    sample: tensor(shape, mixed(addNoiseCoefficients)),
    target: tensor(shape, mixed(targetCoefficients)),
    time: timeFeatures(parseUnetConfig(fixture.config), timesteps),
  };
}

async function train(fixture: Fixture) {
  const { settings, inputs, weights } = fixture;
  const { adamw, lora } = settings;
  const context = await contextOf(fixture);
  const shape = [2, ...inputs.steps[0]!.latents[0]!.shape] as [number, number, number, number];
  const { graph, packs, modules } = buildLossGraph({
    unet: parseUnetConfig(fixture.config),
    text: undefined,
    shape,
    contextLength: context.shape[1]!,
    rankOf: (module) => (loraTargets.attention(module) ? lora.rank : 0),
  });
  expect(modules.map(({ module }) => module).sort()).toEqual(lora.modules.map(({ module }) => module));
  const vectors = packs.map((pack) => ({ name: pack.name, size: packSize(pack) }));
  const gradient = await openProgram(
    ortNode,
    differentiate(graph, packs),
    weights === 'seeded' ? seededWeights : bundledWeights(weights[0]),
  );
  const options = {
    beta1: adamw.betas[0],
    beta2: adamw.betas[1],
    epsilon: adamw.eps,
    weightDecay: adamw.weight_decay,
    maxGradNorm: settings.max_norm,
  };
  const optimizer = await openProgram(ortNode, adamWGraph(vectors, options), seededWeights);

  const start = packedVectors(packs, (name, matrix) =>
    randn(name, matrix).map((x) => (name.includes('lora_A') ? x / lora.rank : 0)),
  );
  const state: Record<string, Numbers> = { ...start };
  for (const { name, size } of vectors)
    for (const moment of [momentNames(name).m, momentNames(name).v]) state[moment] = new Float32Array(size);

  const evaluate = (step: Step, sampleWeights: number[]) =>
    gradient.run({ ...batchOf(fixture, step), ...state, context, sampleWeights });
  const losses: number[] = [];
  const norms: number[] = [];
  for (const [i, step] of inputs.steps.entries()) {
    const grads = await evaluate(step, [1, settings.prior_weight]);
    const steps = inputs.steps.length;
    const updated = await optimizer.run({
      ...state,
      ...grads,
      learningRate: [
        learningRateAt(i, { schedule: 'constant', learningRate: adamw.lr, warmupSteps: 0, steps }),
      ],
      correction1: [1 - options.beta1 ** (i + 1)],
      correction2: [Math.sqrt(1 - options.beta2 ** (i + 1))],
    });
    for (const { name } of vectors) {
      const names = momentNames(name);
      state[name] = updated[names.next]!.data;
      state[names.m] = updated[names.nextM]!.data;
      state[names.v] = updated[names.nextV]!.data;
    }
    losses.push(grads['loss']!.data[0]!);
    norms.push(updated['gradNorm']!.data[0]!);
    expect(Object.keys(grads).sort()).toEqual([...packs.map(gradName), 'loss'].sort());
  }
  const first = inputs.steps[0]!;
  const afterwards = [await evaluate(first, [1, 0]), await evaluate(first, [0, 1])];
  await gradient.close();
  await optimizer.close();

  // in the fixture's order: by module, A before B
  const before = unpackedVectors(packs, (name) => start[name]!);
  const after = unpackedVectors(packs, (name) => state[name]!);
  const change = lora.modules.flatMap(({ module }) =>
    [`${module}.lora_A.weight`, `${module}.lora_B.weight`].flatMap((name) =>
      Array.from(after.get(name)!, (x, i) => x - before.get(name)![i]!),
    ),
  );
  return { losses, norms, change, afterwards: afterwards.map((results) => results['loss']!.data[0]!) };
}

const norm = (values: readonly number[]): number => Math.hypot(...values);

/** The largest relative difference of a list of numbers. */
const distance = (actual: readonly number[], expected: readonly number[]): number =>
  Math.max(...expected.map((value, i) => Math.abs(actual[i]! / value - 1)));

describe.each(['training-run-tiny', 'training-run'])('%s', (name) => {
  test('follows PyTorch’s losses and gradient norms and ends with its weights', async () => {
    const fixture = readFixture<Fixture>(import.meta.dirname, name);
    const { outputs } = fixture;
    const run = await train(fixture);
    expect(run.losses).toHaveLength(outputs.losses.length);
    expect(distance(run.losses, outputs.losses)).toBeLessThanOrEqual(1e-3);
    // Where a row of attention is nearly saturated, rounding shows in a gradient (PyTorch's float32 and float64 differ there too).
    const normErrors = outputs.gradient_norms.map((value, i) => Math.abs(run.norms[i]! / value - 1));
    expect(Math.max(...normErrors)).toBeLessThanOrEqual(1e-2);
    expect(normErrors.filter((error) => error > 1e-4).length).toBeLessThanOrEqual(2);
    expect(distance(run.afterwards, outputs.first_batch_afterwards)).toBeLessThanOrEqual(1e-3);

    const reference = [...floats((outputs.change ?? outputs.change_sample)!).data];
    const stride = outputs.change_stride ?? 1;
    const difference = reference.map((x, i) => run.change[i * stride]! - x);
    expect(norm(difference) / norm(reference)).toBeLessThanOrEqual(1e-2);
    expect(distance([norm(run.change)], [outputs.change_norm])).toBeLessThanOrEqual(1e-3);
  });
});
