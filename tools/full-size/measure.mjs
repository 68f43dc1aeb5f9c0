// One piece of work at full size in this process: `node --expose-gc measure.mjs <fast|balanced|tight|sampling> <float16|float32>`.
// Prints { estimateBytes, peakBytes, seconds, finite } as JSON. run.mjs bundles it.
import { readFileSync, writeFileSync } from 'node:fs';
import { torchRandn } from '../../src/base/random';
import { parseSchedule } from '../../src/diffusion/schedule';
import { openDenoiser } from '../../src/engine/denoiser';
import { trainingMemory } from '../../src/engine/estimate';
import { decodeLatents } from '../../src/engine/pictures';
import { Pipeline } from '../../src/engine/pipeline';
import { samplingMemory } from '../../src/engine/sampling-memory';
import { compileGradient, compileOptimizer, TrainedState } from '../../src/engine/training-step';
import { lossGraphOf } from '../../src/engine/training-plan';
import { parseClipTextConfig } from '../../src/models/clip/config';
import { stableDiffusion1 } from '../../src/models/presets/stable-diffusion';
import { decodeGraph, denoiseGraph, encodeGraph, textGraph } from '../../src/models/stable-diffusion';
import { parseUnetConfig } from '../../src/models/unet/config';
import { parseAutoencoderKlConfig } from '../../src/models/vae/kl';
import { packSize } from '../../src/onnx/packing';
import { recipes } from '../../src/training/settings';
import { createNodeRuntime } from './node-runtime.mjs';

const [work, weightType] = process.argv.slice(2);
const latents = [1, 4, 64, 64];
const contextLength = 77;

const model = fullSizeModel();
const pipeline = new Pipeline(createNodeRuntime({ weightType }), model);
for (const component of ['unet', 'text_encoder', 'vae']) await pipeline.parameters(component);
const loadedBytes = memory('VmRSS');
writeFileSync('/proc/self/clear_refs', '5'); // the peak from here on
const start = performance.now();
const { estimateBytes, finite } = work === 'sampling' ? await drawOne() : await trainOne(work);
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ estimateBytes, peakBytes: memory('VmHWM'), loadedBytes, seconds, finite }));

/** SD 1.5's structure; weights are small random numbers, the same in every run. */
function fullSizeModel() {
  const unet = parseUnetConfig(stableDiffusion1.unet);
  const text = parseClipTextConfig(stableDiffusion1.textEncoder);
  const vae = { kind: 'AutoencoderKL', config: parseAutoencoderKlConfig(stableDiffusion1.vae) };
  const plain = { contextLength, guided: false, rescaled: false };
  const sourcesOf = (...graphs) => {
    const values = new Map(
      graphs.flatMap(({ parameters }) => parameters.map((value) => [value.name, value])),
    );
    return [...values.values()].map(({ name, shape }) => ({
      name,
      shape,
      type: 'float16',
      read: async () => randomHalves(shape),
    }));
  };
  return {
    manifest: { resolution: stableDiffusion1.resolution },
    unet,
    text,
    vae,
    schedule: parseSchedule(stableDiffusion1.scheduler),
    pixelsPerLatent: 8,
    sources: {
      unet: sourcesOf(denoiseGraph(unet, { shape: latents, ...plain }).graph),
      text_encoder: sourcesOf(textGraph(text, 1).graph),
      vae: sourcesOf(decodeGraph(vae, latents), encodeGraph(vae, [1, 3, 512, 512])),
    },
  };
}

/** ±[2⁻⁷, 2⁻⁶), by a linear congruential generator. */
function randomHalves(shape) {
  const halves = new Uint16Array(shape.reduce((size, dim) => size * dim, 1));
  let state = halves.length;
  for (let i = 0; i < halves.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    halves[i] = ((state >>> 16) & 0x83ff) | 0x2000;
  }
  return new Uint8Array(halves.buffer);
}

async function trainOne(tier) {
  const { runtime } = pipeline;
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
      .map(({ name, shape }) => [name, random(shape)]),
  );
  const { loss: value, ...grads } = await gradient.of({ ...feeds, ...state.theta });
  const gradNorm = await optimizer.update(state, grads, { step: 1, learningRate: 1e-4 });
  const finite = Number.isFinite(value.data[0]) && Number.isFinite(gradNorm);
  return { estimateBytes: trainingMemory(pipeline, loss, tier), finite };
}

/** One denoising step with guidance, then the picture. */
async function drawOne() {
  const context = torchRandn(3, contextLength * 768);
  const denoiser = await openDenoiser(pipeline, {
    shape: latents,
    conditional: context,
    unconditional: context.map((x) => -x),
    guidance: 7.5,
    rescale: 0,
    adapter: undefined,
    seeds: [1],
  });
  const noise = denoiser.initial();
  const prediction = await denoiser.predict(noise, 500, 1);
  const { rgba } = await decodeLatents(pipeline, prediction);
  const finite = prediction.data.every(Number.isFinite) && rgba.length === 4 * 512 * 512;
  return { estimateBytes: samplingMemory(pipeline, latents, true), finite };
}

function random(shape) {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return pipeline.runtime.upload('batch', 'float32', shape, torchRandn(2, size));
}

/** A line of /proc/self/status in bytes. */
function memory(field) {
  const line = readFileSync('/proc/self/status', 'utf8').match(new RegExp(`${field}:\\s+(\\d+) kB`));
  return 1024 * Number(line[1]);
}
