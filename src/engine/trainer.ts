// What the DreamBooth loop needs of the machine: a step, an evaluation, a checkpoint and a preview, on a runtime.
import { assertExists } from '../base/assert';
import { packAdapters } from '../models/stable-diffusion';
import { timeFeatures } from '../models/unet/time-features';
import type { DeviceTensor } from '../runtime/runtime';
import { saveCheckpoint, saveSnapshot, type Checkpoint } from '../storage/checkpoints';
import type { Batch } from '../training/batch';
import type { Trainer } from '../training/dreambooth';
import type { LossGraph } from '../training/loss-graph';
import { momentNames } from '../training/optimizer';
import type { TrainingSettings } from '../training/settings';
import type { Tier } from '../training/tier';
import { initialVectors, joinVectors, layoutOf, splitVectors, type Vectors } from './adapters';
import type { Component } from './model-parts';
import { joined } from './denoiser';
import type { Pipeline } from './pipeline';
import { compileGradient, compileOptimizer, readScalar, TrainedState } from './training-step';

export type RunTrainer = Trainer & { dispose(): Promise<void> };

export type TrainerOptions = {
  readonly runId: string;
  readonly loss: LossGraph;
  readonly tier: Tier;
  readonly settings: TrainingSettings;
  readonly from: Checkpoint | undefined;
  /** Draws the preview of `step` with the vectors as they are. */
  readonly preview: (theta: Readonly<Record<string, DeviceTensor>>, step: number) => Promise<Blob>;
};

export async function openTrainer(pipeline: Pipeline, options: TrainerOptions): Promise<RunTrainer> {
  const { runtime, model } = pipeline;
  const { loss, tier, settings, from, runId } = options;
  const { packs } = loss;
  const components: readonly Component[] = settings.trainTextEncoder ? ['unet', 'text_encoder'] : ['unet'];
  const compiled: { dispose(): Promise<void> }[] = [];
  const dispose = async () => {
    for (const program of compiled) await program.dispose();
  };
  const keep = <T extends { dispose(): Promise<void> }>(program: T): T => {
    compiled.push(program);
    return program;
  };
  const compileAll = async () => {
    const gradient = keep(await compileGradient(pipeline, loss, tier, components));
    const optimizer = keep(await compileOptimizer(pipeline, packs, settings));
    const parameters = await Promise.all(components.map((component) => pipeline.parameters(component)));
    const graph = packAdapters(loss.graph, packs);
    return {
      gradient,
      optimizer,
      evaluation: keep(await runtime.compile('training step', graph, parameters)),
    };
  };
  const { gradient, optimizer, evaluation } = await compileAll().catch(async (error: unknown) => {
    await dispose();
    throw error;
  });
  const state = new TrainedState(
    pipeline,
    packs,
    from
      ? {
          theta: splitVectors(packs, from.theta),
          m: splitVectors(packs, from.m),
          v: splitVectors(packs, from.v),
        }
      : { theta: initialVectors(packs, settings.seed) },
  );

  const feed = (batch: Batch): Record<string, DeviceTensor> => {
    const latents = loss.graph.inputs.find(({ name }) => name === 'sample')!.shape;
    const upload = (shape: readonly number[], data: Float32Array<ArrayBuffer>) =>
      runtime.upload('batch', 'float32', shape, data);
    const features = timeFeatures(model.unet, batch.timesteps);
    return {
      sample: upload(latents, batch.sample),
      target: upload(latents, batch.target),
      time: upload([batch.size, features.length / batch.size], features),
      sampleWeights: upload([batch.size], batch.sampleWeights),
      ...captionsOf(batch),
    };
  };
  const captionsOf = ({ captions, size }: Batch): Record<string, DeviceTensor> => {
    const length = model.text.max_position_embeddings;
    if (settings.trainTextEncoder) {
      const ids = Int32Array.from(captions.flatMap((caption) => ('ids' in caption ? [...caption.ids] : [])));
      return { ids: runtime.upload('batch', 'int32', [size, length], ids) };
    }
    const states = joined(captions.flatMap((caption) => ('context' in caption ? [caption.context] : [])));
    return {
      context: runtime.upload('batch', 'float32', [size, length, model.unet.cross_attention_dim], states),
    };
  };
  const free = (tensors: Readonly<Record<string, DeviceTensor>>) => {
    for (const tensor of Object.values(tensors)) tensor.dispose();
  };
  const vectors = async (nameOf: (pack: string) => string): Promise<Vectors> =>
    Object.fromEntries(
      await Promise.all(
        packs.map(
          async ({ name }) =>
            [name, await runtime.read(assertExists(state.tensors[nameOf(name)], name))] as const,
        ),
      ),
    ) as Vectors;

  return {
    step: async (batch, update) => {
      const feeds = feed(batch);
      const results = await gradient.of({ ...feeds, ...state.theta }).finally(() => free(feeds));
      const { loss: lossTensor, ...grads } = results;
      try {
        const gradNorm = await optimizer.update(state, grads, update);
        return { loss: await readScalar(runtime, assertExists(lossTensor, 'loss')), gradNorm };
      } finally {
        free(results);
      }
    },
    evaluate: async (batch) => {
      const feeds = feed(batch);
      const { loss: value } = await evaluation.run({ ...feeds, ...state.theta }).finally(() => free(feeds));
      return readScalar(runtime, assertExists(value, 'loss'));
    },
    save: async (step, losses) => {
      const checkpoint: Checkpoint = {
        version: 1,
        runId,
        step,
        theta: joinVectors(packs, await vectors((name) => name)),
        m: joinVectors(packs, await vectors((name) => momentNames(name).m)),
        v: joinVectors(packs, await vectors((name) => momentNames(name).v)),
        losses: Float32Array.from(losses),
        layout: layoutOf(loss.modules),
      };
      await saveCheckpoint(checkpoint); // first: what a killed tab goes on from
      await saveSnapshot(checkpoint);
    },
    preview: (step) => options.preview(state.theta, step),
    now: () => performance.now(),
    dispose: async () => {
      state.dispose();
      await dispose();
    },
  };
}
