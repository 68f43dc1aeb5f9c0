// Chooses where everything is computed: on the GPU where there is a real one that computes right, on WebAssembly otherwise.
import { AppError, isAppError } from '../base/errors';
import { openDevice } from './device';
import { toAppError } from './failure';
import { loadWasmOrt, loadWebGpuOrt } from './ort';
import type { Runtime } from './runtime';
import { selfTest } from './self-test';
import { createWasmRuntime } from './wasm';
import { createWebGpuRuntime } from './webgpu';

export type OpenedRuntime = {
  readonly runtime: Runtime;
  readonly fallbackReason: string; // why 'automatic' chose wasm, '' where it did not
};

/**
 * Opens a runtime. 'automatic' never fails for the GPU's sake. 'webgpu' rejects with AppError 'webgpu-missing' where there is no
 * GPU, and with 'engine-failed' where it does not pass the start-up test; it takes a software GPU too.
 */
export async function openRuntime(compute: 'automatic' | 'webgpu' | 'wasm'): Promise<OpenedRuntime> {
  if (compute === 'wasm') return { runtime: await openWasm(), fallbackReason: '' };
  if (compute === 'webgpu') return { runtime: await openWebGpu(true), fallbackReason: '' };
  try {
    return { runtime: await openWebGpu(false), fallbackReason: '' };
  } catch (error) {
    return { runtime: await openWasm(), fallbackReason: reasonOf(error) };
  }
}

const openWasm = async (): Promise<Runtime> => createWasmRuntime(await loadWasmOrt());

async function openWebGpu(takeSoftware: boolean): Promise<Runtime> {
  const gpu = await openDevice();
  if (gpu.isSoftware && !takeSoftware) {
    gpu.device.destroy();
    throw new AppError('webgpu-missing', { reason: `${gpu.adapter} is no real GPU` });
  }
  let runtime: Runtime | undefined;
  try {
    runtime = createWebGpuRuntime(await loadWebGpuOrt(), gpu);
    const wrong = await selfTest(runtime);
    if (wrong) throw new AppError('engine-failed', { what: 'WebGPU', reason: wrong });
    return runtime;
  } catch (error) {
    await runtime?.dispose();
    gpu.device.destroy();
    throw toAppError(error, 'WebGPU');
  }
}

function reasonOf(error: unknown): string {
  const reason = isAppError(error) ? error.details['reason'] : undefined;
  return typeof reason === 'string' ? reason : String(error);
}
