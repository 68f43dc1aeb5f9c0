// The training run of training-run-tiny.json through the engine's own trainer, and two sampling steps with an adapter, on any
// runtime. For tests only.
import { addNoiseCoefficients, targetCoefficients } from '../../diffusion/schedule';
import { planSampling } from '../../diffusion/samplers/samplers';
import { sample } from '../../diffusion/sample';
import { randn, seeded } from '../../models/testing/seeded-weights';
import type { Floats, LoraNote } from '../../models/testing/fixture';
import type { LatentShape } from '../../models/stable-diffusion';
import type { Pack } from '../../onnx/packing';
import type { Runtime } from '../../runtime/runtime';
import type { Batch } from '../../training/batch';
import { buildLossGraph, type LossGraph } from '../../training/loss-graph';
import type { TrainingSettings } from '../../training/settings';
import type { Tier } from '../../training/tier';
import { joinVectors, layoutOf, modulesOf, ranksOf, type Vectors } from '../adapters';
import { joined, openDenoiser } from '../denoiser';
import { Pipeline } from '../pipeline';
import { openTrainer } from '../trainer';
import { tinyModel } from './tiny-model';

type NamedFloats = Extract<Floats, { readonly name: string }>;

/** training-run-tiny.json; tools/oracle/training_run.py says what it holds. */
export type TinyRunFixture = {
  readonly settings: {
    readonly lora: LoraNote;
    readonly prior_weight: number;
    readonly adamw: { readonly lr: number; readonly weight_decay: number };
    readonly max_norm: number;
    readonly scheduler: unknown;
  };
  readonly config: { readonly sample_size: number };
  readonly inputs: {
    readonly encoder_hidden_states: NamedFloats;
    readonly steps: readonly {
      readonly latents: readonly NamedFloats[];
      readonly noise: NamedFloats;
      readonly timesteps: readonly number[];
    }[];
  };
  readonly outputs: {
    readonly losses: readonly number[];
    readonly gradient_norms: readonly number[];
    readonly first_batch_afterwards: readonly number[];
    readonly change: { readonly data: string };
  };
};

export type TinyRun = {
  readonly losses: readonly number[];
  readonly gradNorms: readonly number[];
  readonly lossAfterwards: number; // of the first batch
  readonly change: Float32Array; // θ − θ₀ in the fixture's order
};

/** What PyTorch made of the run. */
export function expectedRun({ outputs }: TinyRunFixture): TinyRun {
  const bytes = Uint8Array.from(atob(outputs.change.data), (letter) => letter.charCodeAt(0));
  return {
    losses: outputs.losses,
    gradNorms: outputs.gradient_norms,
    lossAfterwards: outputs.first_batch_afterwards.reduce((sum, loss) => sum + loss),
    change: new Float32Array(bytes.buffer),
  };
}

/** ‖a − b‖ / ‖b‖ */
export function relativeDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    norm += b[i]! ** 2;
  }
  return a.length === b.length ? Math.sqrt(difference / norm) : NaN;
}

/** The tiny model on `runtime`; dispose it before the runtime. */
export const tinyPipeline = (runtime: Runtime, { config, settings }: TinyRunFixture): Pipeline =>
  new Pipeline(runtime, tinyModel(config, settings.scheduler));

/** The fixture's steps on `pipeline` in a tier. */
export async function trainTiny(pipeline: Pipeline, fixture: TinyRunFixture, tier: Tier): Promise<TinyRun> {
  const { lora, adamw, max_norm: maxGradNorm } = fixture.settings;
  const loss = lossGraph(pipeline, fixture);
  const start = vectorsFrom(loss.packs, (name, shape) =>
    name.endsWith('.lora_A.weight')
      ? randn(name, shape).map((x) => x / lora.rank)
      : new Float32Array(shape.reduce((size, dim) => size * dim)),
  );
  const theta = joinVectors(loss.packs, start);
  let end: Vectors = {};
  const trainer = await openTrainer(pipeline, {
    runId: 'tiny',
    loss,
    tier,
    settings: { trainTextEncoder: false, weightDecay: adamw.weight_decay, maxGradNorm } as TrainingSettings,
    from: {
      version: 1,
      runId: 'tiny',
      step: 0,
      theta,
      m: new Float32Array(theta.length),
      v: new Float32Array(theta.length),
      losses: new Float32Array(0),
      layout: layoutOf(loss.modules),
    },
    preview: async (tensors) => {
      const read = Object.entries(tensors).map(
        async ([name, tensor]) => [name, (await pipeline.runtime.read(tensor)) as Float32Array] as const,
      );
      end = Object.fromEntries(await Promise.all(read)) as Vectors;
      return new Blob();
    },
  });
  try {
    const batches = fixture.inputs.steps.map((_, i) => batchAt(pipeline, fixture, i));
    const losses: number[] = [];
    const gradNorms: number[] = [];
    for (const [i, batch] of batches.entries()) {
      const result = await trainer.step(batch, { step: i + 1, learningRate: adamw.lr });
      losses.push(result.loss);
      gradNorms.push(result.gradNorm);
    }
    const lossAfterwards = await trainer.evaluate(batches[0]!);
    await trainer.preview(batches.length);
    const before = flat(loss.packs, start, lora);
    const change = flat(loss.packs, end, lora).map((x, i) => x - before[i]!);
    return { losses, gradNorms, lossAfterwards, change };
  } finally {
    await trainer.dispose();
  }
}

/** Final latents of two DDIM steps for two pictures, with guidance, its rescale and seeded adapters at strength 0.8. */
export async function sampleTiny(pipeline: Pipeline, fixture: TinyRunFixture): Promise<Float32Array> {
  const { runtime, model } = pipeline;
  const { packs } = lossGraph(pipeline, fixture);
  const tensors = Object.entries(vectorsFrom(packs, seeded)).map(
    ([name, data]) => [name, runtime.upload('LoRA', 'float32', [data.length], data)] as const,
  );
  const contexts = contextRows(fixture);
  const denoiser = await openDenoiser(pipeline, {
    shape: latentShape(pipeline),
    conditional: contexts[0]!,
    unconditional: contexts[1]!,
    guidance: model.manifest.sampling.guidance,
    rescale: model.manifest.sampling.guidanceRescale,
    adapter: {
      key: 'tiny',
      rankOf: rankOf(fixture),
      vectors: Object.fromEntries(tensors),
      strength: 0.8,
    },
    seeds: [5, 6],
  });
  const noise = denoiser.initial();
  try {
    const plan = planSampling(model.schedule, model.sampler, 2);
    const job = sample(plan, denoiser, { noise }, new AbortController().signal);
    for (;;) {
      const step = await job.next();
      if (!step.done) continue;
      const latents = await runtime.read(step.value);
      step.value.dispose();
      return latents as Float32Array;
    }
  } finally {
    noise.dispose();
    denoiser.close();
    for (const [, tensor] of tensors) tensor.dispose();
  }
}

/** Two samples: a photo and a class picture, or two pictures of one batch. */
function latentShape({ model: { unet } }: Pipeline): LatentShape {
  return [2, unet.in_channels, unet.sample_size, unet.sample_size];
}

const rankOf = ({ settings: { lora } }: TinyRunFixture) =>
  ranksOf(lora.modules.map(({ module }) => ({ module, rank: lora.rank })));

function lossGraph(pipeline: Pipeline, fixture: TinyRunFixture): LossGraph {
  const { unet, text } = pipeline.model;
  return buildLossGraph({
    unet,
    text: undefined,
    shape: latentShape(pipeline),
    contextLength: text.max_position_embeddings,
    rankOf: rankOf(fixture),
  });
}

/** The context of each sample. */
function contextRows({ inputs: { encoder_hidden_states: states } }: TinyRunFixture): Float32Array[] {
  const all = randn(states.name, states.shape);
  const length = all.length / states.shape[0]!;
  return Array.from({ length: states.shape[0]! }, (_, row) => all.slice(row * length, (row + 1) * length));
}

function batchAt({ model: { schedule } }: Pipeline, fixture: TinyRunFixture, step: number): Batch {
  const { latents, noise, timesteps } = fixture.inputs.steps[step]!;
  const clean = joined(latents.map(({ name, shape }) => randn(name, shape)));
  const normals = randn(noise.name, noise.shape);
  const length = clean.length / latents.length;
  const mix = (coefficients: typeof addNoiseCoefficients) =>
    clean.map((x, i) => {
      const { x0, noise: share } = coefficients(schedule, timesteps[Math.floor(i / length)]!);
      return x0 * x + share * normals[i]!;
    });
  return {
    size: latents.length,
    sample: mix(addNoiseCoefficients),
    target: mix(targetCoefficients),
    timesteps,
    captions: contextRows(fixture).map((context) => ({ context })),
    sampleWeights: Float32Array.of(1, fixture.settings.prior_weight),
  };
}

function vectorsFrom(packs: readonly Pack[], matrix: typeof randn): Vectors {
  return Object.fromEntries(
    packs.map((pack) => [pack.name, joined(pack.members.map(({ name, shape }) => matrix(name, shape)))]),
  );
}

/** All matrices in the fixture's order. */
function flat(packs: readonly Pack[], vectors: Vectors, lora: LoraNote): Float32Array {
  const modules = new Map(modulesOf(packs, vectors).map((one) => [one.module, one]));
  return joined(
    lora.modules.flatMap(({ module }) => {
      const { down, up } = modules.get(module)!;
      return [down.data, up.data];
    }),
  );
}
