// The pieces of work whose memory is measured against its estimate: at full size by tools/full-size, small in e2e/memory.webgpu.spec.ts.
import { torchRandn } from '../../base/random';
import { packSize } from '../../onnx/packing';
import { sizeOf } from '../../onnx/graph';
import { recipes } from '../../training/settings';
import type { Tier } from '../../training/tier';
import { openDenoiser } from '../denoiser';
import { trainingMemory } from '../estimate';
import { decodeLatents } from '../pictures';
import type { Pipeline } from '../pipeline';
import { samplingMemory } from '../sampling-memory';
import { compileGradient, compileOptimizer, TrainedState } from '../training-step';
import { lossGraphOf } from '../training-plan';

export type Work = Tier | 'sampling';
export type Worked = { readonly estimateBytes: number; readonly finite: boolean };

/** Uploads all weights, as a run or a request does before it starts. */
export async function loadAll(pipeline: Pipeline): Promise<void> {
  for (const component of ['unet', 'text_encoder', 'vae'] as const) await pipeline.parameters(component);
}

/** One training step of one photo in a tier, or one guided denoising step and its picture; what was estimated for it. */
export const workOn = (pipeline: Pipeline, work: Work): Promise<Worked> =>
  work === 'sampling' ? drawOne(pipeline) : trainOne(pipeline, work);

async function trainOne(pipeline: Pipeline, tier: Tier): Promise<Worked> {
  const { runtime, model } = pipeline;
  const settings = { ...recipes().standard, priorPreservation: false, batchSize: 1 };
  const loss = lossGraphOf(model, settings, runtime, tier);
  const gradient = await compileGradient(pipeline, loss, tier, ['unet']);
  const optimizer = await compileOptimizer(pipeline, loss.packs, { weightDecay: 0.01, maxGradNorm: 1 });
  const theta = Object.fromEntries(
    loss.packs.map((pack) => [pack.name, torchRandn(1, packSize(pack)).map((value) => value * 0.02)]),
  );
  const state = new TrainedState(pipeline, loss.packs, { theta });
  const feeds = Object.fromEntries(
    loss.graph.inputs
      .filter(({ name }) => ['sample', 'time', 'context', 'target', 'sampleWeights'].includes(name))
      .map(({ name, shape }) => [
        name,
        runtime.upload('batch', 'float32', shape, torchRandn(2, sizeOf(shape))),
      ]),
  );
  const { loss: lossTensor, ...grads } = await gradient.of({ ...feeds, ...state.theta });
  const gradNorm = await optimizer.update(state, grads, { step: 1, learningRate: 1e-4 });
  const [value] = await runtime.read(lossTensor!);
  const finite = Number.isFinite(value) && Number.isFinite(gradNorm);
  for (const tensor of [...Object.values({ ...feeds, ...grads }), lossTensor!]) tensor.dispose();
  state.dispose();
  await gradient.dispose();
  await optimizer.dispose();
  return { estimateBytes: trainingMemory(pipeline, loss, tier).memoryBytes, finite };
}

async function drawOne(pipeline: Pipeline): Promise<Worked> {
  const { runtime, model } = pipeline;
  const { unet, text, manifest, pixelsPerLatent } = model;
  const side = manifest.resolution / pixelsPerLatent;
  const shape = [1, unet.in_channels, side, side] as const;
  const context = torchRandn(3, text.max_position_embeddings * unet.cross_attention_dim);
  const denoiser = await openDenoiser(pipeline, {
    shape,
    conditional: context,
    unconditional: context.map((x) => -x),
    guidance: 7.5,
    rescale: 0,
    adapter: undefined,
    seeds: [1],
  });
  const noise = denoiser.initial();
  const prediction = await denoiser.predict(noise, 500, 1, new AbortController().signal);
  const { rgba } = await decodeLatents(pipeline, prediction);
  const latents = (await runtime.read(prediction)) as Float32Array;
  const finite = latents.every(Number.isFinite) && rgba.length === 4 * manifest.resolution ** 2;
  for (const tensor of [noise, prediction]) tensor.dispose();
  denoiser.close();
  return { estimateBytes: samplingMemory(pipeline, { shape, guided: true }), finite };
}
