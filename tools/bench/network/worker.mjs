// Times the UNet's graphs of the bundled model on the wasm backend, in turns, so that what slows the machine slows them alike.
import { createGate } from '../../../src/base/gate';
import { torchRandn } from '../../../src/base/random';
import { openBaseModel } from '../../../src/engine/base-model';
import { Pipeline } from '../../../src/engine/pipeline';
import { TrainedState, compileGradient, compileOptimizer } from '../../../src/engine/training-step';
import { rootScope } from '../../../src/models/layers';
import { loraTargets } from '../../../src/models/lora';
import { timeFeatures } from '../../../src/models/unet/time-features';
import { unet } from '../../../src/models/unet/unet';
import { GraphBuilder } from '../../../src/onnx/builder';
import { packSize } from '../../../src/onnx/packing';
import { createWasmRuntime } from '../../../src/runtime/wasm';
import { parseModelManifest } from '../../../src/storage/model-manifest';
import { buildLossGraph } from '../../../src/training/loss-graph';

const batch = 2;
const timestep = 500;
const executionProviders = ['wasm'];

/** { modelUrl, torchUrl?, threads, rounds, adapters } → { times: { name: milliseconds[] } }, in the order of the calls. */
self.onmessage = async ({ data: order }) => {
  try {
    self.postMessage(await measure(order));
  } catch (error) {
    self.postMessage({ error: String(error?.stack ?? error) });
  }
};

async function measure({ modelUrl, torchUrl, threads, rounds, adapters }) {
  if (threads > 1 && !self.crossOriginIsolated) throw new Error('the page has no threads');
  const ort = await import('onnxruntime-web/wasm'); // a chunk of its own, which its threads load too
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = 'error';
  const open = async (path) => (await fetchOk(new URL(path, modelUrl))).blob();
  const manifest = parseModelManifest(await (await open('likeness.json')).text(), 'likeness.json');
  const model = await openBaseModel(manifest, open);
  const pipeline = new Pipeline(createWasmRuntime({ ort, gate: createGate(), threads }), model);
  const inputs = createInputs(model);

  const calls = { forward: await openForward(pipeline, inputs) };
  if (torchUrl) calls.torch = await openTorch(ort, torchUrl, inputs);
  for (const { name, targets, rank, tier } of adapters)
    calls[name] = await openStep(pipeline, inputs, { targets, rank, tier });

  if (torchUrl) assertSame(await calls.forward(), await calls.torch());
  const times = Object.fromEntries(Object.keys(calls).map((name) => [name, []]));
  for (let round = -2; round < rounds; round++)
    for (const [name, call] of Object.entries(calls)) {
      const start = performance.now();
      await call();
      if (round >= 0) times[name].push(performance.now() - start); // the first two warm up
    }
  return { times };
}

async function fetchOk(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response;
}

function createInputs({ unet: config, text }) {
  const normal = (...shape) => ({
    shape,
    data: torchRandn(
      0,
      shape.reduce((a, b) => a * b),
    ),
  });
  const sample = [batch, config.in_channels, config.sample_size, config.sample_size];
  return {
    sample: normal(...sample),
    target: normal(...sample),
    context: normal(batch, text.max_position_embeddings, config.cross_attention_dim),
    time: {
      shape: [batch, config.block_out_channels[0]],
      data: timeFeatures(config, Array(batch).fill(timestep)),
    },
    sampleWeights: { shape: [batch], data: new Float32Array(batch).fill(1 / batch) },
  };
}

const uploaded = ({ runtime }, inputs, names) =>
  Object.fromEntries(
    names.map((name) => [
      name,
      runtime.upload('benchmark', 'float32', inputs[name].shape, inputs[name].data),
    ]),
  );

/** The UNet with a time step for each sample, as torch.onnx exports it. */
async function openForward(pipeline, inputs) {
  const names = ['sample', 'time', 'context'];
  const b = new GraphBuilder('UNet');
  const values = Object.fromEntries(
    names.map((name) => [name, b.input(name, 'float32', inputs[name].shape)]),
  );
  const graph = b.finish({ prediction: unet(rootScope(b, 'unet'), pipeline.model.unet, values) });
  const program = await pipeline.runtime.compile('UNet', graph, [await pipeline.parameters('unet')]);
  const feeds = uploaded(pipeline, inputs, names);
  return async () => {
    const { prediction } = await program.run(feeds);
    const data = await pipeline.runtime.read(prediction);
    prediction.dispose();
    return data;
  };
}

async function openTorch(ort, url, { sample, context }) {
  const bytes = new Uint8Array(await (await fetchOk(url)).arrayBuffer());
  const session = await ort.InferenceSession.create(bytes, { executionProviders, logSeverityLevel: 3 });
  const feeds = {
    sample: new ort.Tensor('float32', sample.data, sample.shape),
    timestep: new ort.Tensor('int64', new BigInt64Array(batch).fill(BigInt(timestep)), [batch]),
    encoder_hidden_states: new ort.Tensor('float32', context.data, context.shape),
  };
  return async () => (await session.run(feeds))[session.outputNames[0]].data;
}

/** One training step: the gradient of the loss, then AdamW. */
async function openStep(pipeline, inputs, { targets, rank, tier }) {
  const { unet: config } = pipeline.model;
  const loss = buildLossGraph({
    unet: config,
    text: undefined,
    shape: inputs.sample.shape,
    contextLength: inputs.context.shape[1],
    rankOf: (module) => (loraTargets[targets](module) ? rank : 0),
  });
  const gradient = await compileGradient(pipeline, loss, tier, ['unet']);
  const optimizer = await compileOptimizer(pipeline, loss.packs, { weightDecay: 0.01, maxGradNorm: 1 });
  const theta = Object.fromEntries(
    loss.packs.map((pack) => [pack.name, torchRandn(1, packSize(pack)).map((value) => value * 0.02)]),
  );
  const state = new TrainedState(pipeline, loss.packs, { theta });
  const feeds = uploaded(pipeline, inputs, ['sample', 'time', 'context', 'target', 'sampleWeights']);
  let step = 0;
  return async () => {
    const { loss: value, ...grads } = await gradient.of({ ...feeds, ...state.theta });
    await optimizer.update(state, grads, { step: ++step, learningRate: 1e-4 });
    for (const tensor of [value, ...Object.values(grads)]) tensor.dispose();
  };
}

/** Two computations are only worth comparing when they answer the same. */
function assertSame(ours, theirs) {
  let difference = 0;
  let largest = 0;
  theirs.forEach((value, i) => {
    difference = Math.max(difference, Math.abs(value - ours[i]));
    largest = Math.max(largest, Math.abs(value));
  });
  if (!(difference <= 1e-4 * largest))
    throw new Error(`the export computes something else: ${difference} of ${largest}`);
}
