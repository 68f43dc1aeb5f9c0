// What our graphs answer beside what PyTorch answered, for the model that tools/oracle/full_width.py left in FOLDER:
// `node --expose-gc compare.mjs <unet|text|vae|tiny|gradient|pictures> FOLDER`. Prints { versions, results } as JSON. parity.mjs bundles it.
import { openAsBlob, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gradName } from '../../src/autodiff/segments';
import { inTiles } from '../../src/diffusion/tiles';
import { openBaseModel } from '../../src/engine/base-model';
import { Pipeline } from '../../src/engine/pipeline';
import { drawImages } from '../../src/engine/sample-job';
import { decodePngInNode, encodePngInNode } from '../../src/engine/testing/png';
import { lossGraphOf } from '../../src/engine/training-plan';
import { compileGradient } from '../../src/engine/training-step';
import { parseClipTextConfig } from '../../src/models/clip/config';
import { decodeGraph, denoiseGraph, encodeGraph, textGraph } from '../../src/models/stable-diffusion';
import { packedVectors, unpackedVectors } from '../../src/models/testing/lora-vectors';
import { parseUnetConfig } from '../../src/models/unet/config';
import { timeFeatures } from '../../src/models/unet/time-features';
import { parseAutoencoderKlConfig } from '../../src/models/vae/kl';
import { parseAutoencoderTinyConfig } from '../../src/models/vae/tiny';
import { relativeError } from '../../src/onnx/testing/onnxruntime';
import { tierNames } from '../../src/training/tier';
import { readFloats } from '../../src/weights/stored-tensor';
import { openWeightsFile } from '../../src/weights/weights-file';
import { createNodeRuntime } from './node-runtime.mjs';

const [kind, folder] = process.argv.slice(2);
const bound = 1e-4; // of the largest reference value
const largestBytes = 128 * 2 ** 20; // attention scores above it are computed in pieces, as the engine does it

const runtime = createNodeRuntime({ weightType: 'float32' });
const json = (path) => JSON.parse(readFileSync(join(folder, path), 'utf8'));
const config = json('config.json');
const { versions, ...notes } = json('reference.json');
const { tensors: reference } = await openWeightsFile(
  await fileOf('reference.safetensors'),
  'reference.safetensors',
);

const works = { unet, text, vae, tiny, gradient, pictures };
const results = await works[kind]();
console.log(JSON.stringify({ versions: { ...versions, ...runtimeVersions() }, results }));

async function unet() {
  const parsed = parseUnetConfig(config);
  const { sample, context, timeCondition } = await inputs('sample', 'context', 'timeCondition');
  const shape = sample.shape;
  const options = { shape, contextLength: context.shape[1], guided: false, rescaled: false, largestBytes };
  const time = { shape: [1, parsed.block_out_channels[0]], data: timeFeatures(parsed, [notes.timestep]) };
  const inputScale = { shape: [1], data: Float32Array.of(1) };
  const graph = denoiseGraph(parsed, options).graph;
  const answers = await answersOf(graph, 'unet', { sample, context, timeCondition, time, inputScale });
  return [await compare('prediction', answers.prediction)];
}

async function text() {
  const { ids } = await inputs('ids');
  const { graph } = textGraph(parseClipTextConfig(config), ids.shape[0], { largestBytes });
  const { context } = await answersOf(graph, 'text_encoder', { ids });
  return [await compare('context', context)];
}

async function vae() {
  const model = { kind: 'AutoencoderKL', config: parseAutoencoderKlConfig(config) };
  const whole = await autoencode(model, ['mean', 'deviation']);
  const { wide } = await inputs('wide');
  const [, planes, height, width] = wide.shape;
  const decode = async (tile) => {
    const shape = [1, tile.planes, tile.height, tile.width];
    const graph = decodeGraph(model, shape, { largestBytes });
    const { picture } = await answersOf(graph, 'vae', { latents: { shape, data: tile.data } });
    const [, colours, rows, columns] = picture.shape;
    return { data: picture.data, planes: colours, height: rows, width: columns };
  };
  const sides = { side: 64, sideAfter: 512 };
  const tiled = await inTiles({ data: wide.data, planes, height, width }, sides, decode);
  const picture = { shape: [1, tiled.planes, tiled.height, tiled.width], data: tiled.data };
  return [...whole, await compare('tiled', picture)];
}

function tiny() {
  return autoencode({ kind: 'AutoencoderTiny', config: parseAutoencoderTinyConfig(config) }, ['mean']);
}

async function autoencode(model, moments) {
  const { latents, picture } = await inputs('latents', 'picture');
  const decoded = await answersOf(decodeGraph(model, latents.shape, { largestBytes }), 'vae', { latents });
  const encoded = await answersOf(encodeGraph(model, picture.shape, { largestBytes }), 'vae', { picture });
  const compared = [await compare('picture', decoded.picture)];
  for (const moment of moments) compared.push(await compare(moment, encoded[moment]));
  return compared;
}

/** One training step's loss and gradients in every tier. */
async function gradient() {
  const unet = parseUnetConfig(config.unet);
  const pipeline = new Pipeline(runtime, { sources: { unet: await sourcesIn('unet') } });
  const model = {
    unet,
    text: { max_position_embeddings: 77 },
    pixelsPerLatent: 8,
    manifest: { resolution: 8 * config.side },
  };
  const settings = {
    batchSize: 1,
    priorPreservation: false,
    trainTextEncoder: false,
    targets: 'attention',
    rank: 4,
  };
  const names = [...reference.keys()]
    .filter((name) => name.startsWith('in.unet.'))
    .map((name) => name.slice(3));
  const matrices = await inputs(...names);
  const feeds = {
    ...(await inputs('sample', 'target', 'context')),
    time: { shape: [1, unet.block_out_channels[0]], data: timeFeatures(unet, [notes.timestep]) },
    sampleWeights: { shape: [1], data: Float32Array.of(1) },
  };
  const compared = [];
  for (const tier of tierNames) {
    const loss = lossGraphOf(model, settings, runtime, tier);
    const vectors = packedVectors(loss.packs, (name) => matrices[name].data);
    const theta = Object.entries(vectors).map(([name, data]) => [name, { shape: [data.length], data }]);
    const step = await compileGradient(pipeline, loss, tier, ['unet']);
    const { loss: value, ...grads } = await step.of(uploaded({ ...feeds, ...Object.fromEntries(theta) }));
    await step.dispose();
    compared.push(await compare(`${tier}: loss`, value, 'loss'));
    const found = unpackedVectors(loss.packs, (pack) => grads[gradName({ name: pack })].data);
    let worst = 0;
    for (const name of names) {
      const gradient = { shape: matrices[name].shape, data: found.get(name) };
      worst = Math.max(worst, (await compare(name, gradient)).error);
    }
    compared.push({ what: `${tier}: the worst of ${names.length} gradients`, error: worst, bound: 1e-3 });
  }
  return compared;
}

/** Whole pictures, the way a person gets them: mean difference of levels, of 255. */
async function pictures() {
  const paths = readdirSync(join(folder, 'model'), { recursive: true });
  const files = paths.filter((path) => /\.\w+$/.test(path)).map((path) => ({ path }));
  const manifest = {
    name: 'random',
    files,
    resolution: 512,
    sampling: { sampler: 'ddim', guidanceRescale: 0 },
  };
  const pipeline = new Pipeline(
    runtime,
    await openBaseModel(manifest, (path) => fileOf(join('model', path))),
  );
  const start = await pngOf(await read('out.ddim'));
  const mask = await pngOf(await read('in.mask'));
  const platform = {
    encodePng: encodePngInNode,
    decodePicture: decodePngInNode,
    now: () => performance.now(),
  };
  const compared = [];
  for (const { name, sampler, strength, masked } of notes.cases) {
    const expected = await read(`out.${name}`);
    const [height, width] = expected.shape;
    const request = {
      ...notes,
      ...{
        promptSyntax: 'plain',
        subjectStrength: 1,
        images: 1,
        sampler,
        sigmas: 'schedule',
        livePreview: false,
      },
      ...{ height, width },
      ...(strength ? { start: { picture: start, mask: masked ? mask : undefined, strength } } : {}),
    };
    const { png } = await imageOf(drawImages(pipeline, request, new AbortController().signal, platform));
    const levels = (await decodePngInNode(png, name, width, height)).filter((_, i) => i % 4 !== 3);
    const sum = levels.reduce((total, level, i) => total + Math.abs(level - expected.data[i]), 0);
    compared.push({ what: `${name}: mean difference of levels`, error: sum / levels.length, bound: 1 });
  }
  return compared;
}

async function imageOf(job) {
  for await (const event of job) if (event.kind === 'image-ready') return event;
  throw new Error('no picture');
}

/** Levels [height, width] or [height, width, 3] as a file. */
function pngOf({ shape: [height, width, colours = 1], data }) {
  const rgba = Uint8ClampedArray.from({ length: 4 * height * width }, (_, i) =>
    i % 4 === 3 ? 255 : data[Math.floor(i / 4) * colours + ((i % 4) % colours)],
  );
  return encodePngInNode(rgba, width, height);
}

async function compare(what, { shape, data }, name = what) {
  const error = relativeError({ shape, data }, await read(`out.${name}`));
  return { what, error, bound };
}

/** The outputs of one run with the weights in FOLDER. */
async function answersOf(graph, component, feeds) {
  const parameters = await runtime.loadParameters(component, await sourcesIn(component));
  const program = await runtime.compile(component, graph, [parameters]);
  const answers = await program.run(uploaded(feeds));
  await program.dispose();
  return answers;
}

function uploaded(tensors) {
  const typeOf = (data) => (data instanceof Int32Array ? 'int32' : 'float32');
  const given = Object.entries(tensors).filter(([, tensor]) => tensor);
  return Object.fromEntries(
    given.map(([name, { shape, data }]) => [name, runtime.upload('', typeOf(data), shape, data)]),
  );
}

/** Where the weights of the component that lies in FOLDER/model are. */
async function sourcesIn(component) {
  const [file] = readdirSync(join(folder, 'model')).filter((name) => name.endsWith('.safetensors'));
  const { tensors } = await openWeightsFile(await fileOf(join('model', file)), file);
  return [...tensors].map(([name, { shape, read }]) => ({
    name: `${component}.${notes.prefix ?? ''}${name}`,
    type: 'float32',
    shape,
    storedAs: 'float32',
    read,
  }));
}

function fileOf(path) {
  return openAsBlob(join(folder, path));
}

/** The inputs of these names that the reference has. */
async function inputs(...names) {
  const found = names.filter((name) => reference.has(`in.${name}`));
  return Object.fromEntries(await Promise.all(found.map(async (name) => [name, await read(`in.${name}`)])));
}

async function read(name) {
  const tensor = reference.get(name);
  const { dtype, shape } = tensor;
  if (dtype === 'F32') return { shape, data: await readFloats(tensor, name, 'reference.safetensors') };
  const bytes = await tensor.read();
  return { shape, data: dtype === 'I32' ? new Int32Array(bytes.buffer) : bytes };
}

/** The versions of what ran on this side. */
function runtimeVersions() {
  const path = new URL(import.meta.resolve('onnxruntime-node/package.json'));
  return { 'onnxruntime-node': JSON.parse(readFileSync(path, 'utf8')).version };
}
