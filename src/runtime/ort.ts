// Loads ONNX Runtime Web. Each build is a chunk of its own with its own wasm file, and only the one that is asked for is fetched:
// `jspi` and `asyncify` have the native WebGPU backend (with and without WebAssembly JSPI), `wasm` has none.
import type * as Ort from 'onnxruntime-web';
import { toAppError } from './failure';
import { createGate, type Gate } from '../base/gate';

export type OrtModule = Pick<typeof Ort, 'InferenceSession' | 'Tensor'>;

/** A loaded ORT with the gate that every call into it must pass: two calls at once crash the tab. */
export type OrtEngine = { readonly ort: OrtModule; readonly gate: Gate; readonly threads: number };

type Build = 'jspi' | 'asyncify' | 'wasm';

const imports: Readonly<Record<Build, () => Promise<typeof Ort>>> = {
  jspi: () => import('onnxruntime-web/jspi'),
  asyncify: () => import('onnxruntime-web/webgpu'),
  wasm: () => import('onnxruntime-web/wasm'),
};

const maxThreads = 8; // more gain nothing on our graphs' sizes and each costs a stack

const engines = new Map<Build, Promise<OrtEngine>>();

/** The build with WebGPU that suits this browser. */
export const loadWebGpuOrt = (): Promise<OrtEngine> =>
  load('Suspending' in WebAssembly ? 'jspi' : 'asyncify', 1);

/** The CPU build, with as many threads as the browser allows: one unless the page is cross-origin isolated. */
export const loadWasmOrt = (): Promise<OrtEngine> =>
  load('wasm', crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, maxThreads) : 1);

function load(build: Build, threads: number): Promise<OrtEngine> {
  const known = engines.get(build);
  if (known) return known;
  const loading = start(build, threads);
  engines.set(build, loading);
  loading.catch(() => engines.delete(build)); // a failed download may be tried again
  return loading;
}

async function start(build: Build, threads: number): Promise<OrtEngine> {
  try {
    const ort = await imports[build]();
    ort.env.wasm.numThreads = threads;
    ort.env.wasm.proxy = false;
    ort.env.logLevel = 'error';
    return { ort, gate: createGate(), threads };
  } catch (error) {
    throw toAppError(error, 'ONNX Runtime');
  }
}
