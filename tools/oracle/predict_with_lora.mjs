// What our UNet predicts with an exported LoRA file, as the expected.json of check_lora_file.py.
// Run: node tools/oracle/predict_with_lora.mjs FILE.safetensors OUT.json [--strength 1]
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-web';
import { createServer } from 'vite';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { strength: { type: 'string', default: '1' } },
});
const [file, out] = positionals;
if (!file || !out) throw new Error('usage: predict_with_lora.mjs FILE.safetensors OUT.json [--strength 1]');

const root = join(import.meta.dirname, '../..');
const vite = await createServer({
  root,
  server: { middlewareMode: true },
  appType: 'custom',
  logLevel: 'error',
});
const load = (path) => vite.ssrLoadModule(`/src/${path}.ts`);
const { openBaseModel } = await load('engine/base-model');
const { Pipeline } = await load('engine/pipeline');
const { openDenoiser } = await load('engine/denoiser');
const { readLoraFor, uploadAdapters } = await load('engine/subjects');
const { createWasmRuntime } = await load('runtime/wasm');
const { createGate } = await load('base/gate');
const { counterNormals } = await load('base/random');
const { parseModelManifest } = await load('storage/model-manifest');

const folder = join(root, 'public/models/bundled');
const manifest = parseModelManifest(await readFile(join(folder, 'likeness.json'), 'utf8'), 'likeness.json');
const model = await openBaseModel(manifest, async (path) => new Blob([await readFile(join(folder, path))]));
const runtime = createWasmRuntime({ ort, gate: createGate(), threads: 1 });
const pipeline = new Pipeline(runtime, model);

const side = manifest.resolution / model.pixelsPerLatent;
const shape = [1, model.unet.in_channels, side, side];
const contextShape = [1, model.text.max_position_embeddings, model.unet.cross_attention_dim];
const timestep = 500;
const sample = counterNormals(
  1,
  'noise',
  0,
  shape.reduce((a, b) => a * b),
);
const context = counterNormals(
  2,
  'noise',
  0,
  contextShape.reduce((a, b) => a * b),
);

const modules = await readLoraFor(model, new Blob([await readFile(file)]), file);
const { adapters } = uploadAdapters(pipeline, modules, Number(values.strength));
const denoiser = await openDenoiser(pipeline, {
  shape,
  conditional: context,
  unconditional: context,
  guidance: 1,
  rescale: 0,
  adapter: adapters.unet,
  seeds: [0],
});
const predicted = await denoiser.predict(runtime.upload('sample', 'float32', shape, sample), timestep, 1);
const floats = (data, dims) => ({
  shape: dims,
  data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
});
await writeFile(
  out,
  JSON.stringify({
    inputs: {
      sample: floats(sample, shape),
      timesteps: [timestep],
      encoder_hidden_states: floats(context, contextShape),
    },
    outputs: { sample: floats(await runtime.read(predicted), shape) },
  }),
);
await vite.close();
process.exit(0); // ONNX Runtime's threads would keep the process
