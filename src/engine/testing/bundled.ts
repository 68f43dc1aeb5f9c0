// The bundled model and the wasm runtime in Node, for the engine's tests: real weights, real ONNX Runtime, no browser.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as ort from 'onnxruntime-web';
import { createGate } from '../../base/gate';
import type { OrtEngine } from '../../runtime/ort';
import type { Runtime } from '../../runtime/runtime';
import { createWasmRuntime } from '../../runtime/wasm';
import { parseModelManifest } from '../../storage/model-manifest';
import { openBaseModel, type BaseModel } from '../base-model';
import { EngineSession, type OpenRuntime } from '../session';

export const bundledFolder = join(import.meta.dirname, '../../../public/models/bundled');

let engine: OrtEngine | undefined;

/** A runtime of its own on the one ORT of this process. */
export function openNodeRuntime(): Runtime {
  if (!engine) {
    ort.env.wasm.numThreads = 1;
    ort.env.logLevel = 'error';
    engine = { ort, gate: createGate(), threads: 1 };
  }
  return createWasmRuntime(engine);
}

/** What openRuntime answers in a browser without WebGPU. */
export const openInNode: OpenRuntime = () =>
  Promise.resolve({
    runtime: openNodeRuntime(),
    fallbackReason: '',
    noHalfReason: 'WebAssembly computes in 32 bits',
  });

let opened: Promise<BaseModel> | undefined;

/** The bundled model, read from disk once. */
export function bundledModel(): Promise<BaseModel> {
  opened ??= (async () => {
    const read = async (path: string) => new Blob([await readFile(join(bundledFolder, path))]);
    const text = await (await read('likeness.json')).text();
    return openBaseModel(parseModelManifest(text, 'likeness.json'), read);
  })();
  return opened;
}

/** A session as after a page load, with the bundled model in it. */
export async function openSession(openRuntime: OpenRuntime = openInNode): Promise<EngineSession> {
  const session = new EngineSession(openRuntime);
  await session.use(await bundledModel());
  return session;
}
