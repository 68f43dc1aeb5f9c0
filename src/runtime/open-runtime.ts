// Chooses where everything is computed: on the GPU where there is a real one that computes right, on WebAssembly otherwise.
import { AppError, isAppError } from '../base/errors';
import { openDevice } from './device';
import { toAppError } from './failure';
import { halfSelfTest } from './half-self-test';
import { loadWasmOrt, loadWebGpuOrt } from './ort';
import type { Runtime } from './runtime';
import { selfTest } from './self-test';
import { createWasmRuntime } from './wasm';
import { createWebGpuRuntime } from './webgpu';

export type OpenedRuntime = {
  readonly runtime: Runtime;
  readonly fallbackReason: string; // why 'automatic' chose wasm, '' where it did not
  /** Why pictures cannot be computed in float16, '' where they can, or where nobody asked. */
  readonly noHalfReason: string;
};

/**
 * Opens a runtime. 'automatic' never fails for the GPU's sake. 'webgpu' rejects with AppError 'webgpu-missing' where there is no
 * GPU, and with 'engine-failed' where it does not pass the start-up test; it takes a software GPU too. float16 is tested unless
 * `precision` is 'full'.
 */
export async function openRuntime(
  compute: 'automatic' | 'webgpu' | 'wasm',
  precision: 'automatic' | 'full',
): Promise<OpenedRuntime> {
  if (compute === 'wasm') return openWasm('');
  if (compute === 'webgpu') return openWebGpu(true, precision);
  try {
    return await openWebGpu(false, precision);
  } catch (error) {
    return openWasm(reasonOf(error));
  }
}

const openWasm = async (fallbackReason: string): Promise<OpenedRuntime> => ({
  runtime: createWasmRuntime(await loadWasmOrt()),
  fallbackReason,
  noHalfReason: 'WebAssembly computes in 32 bits',
});

async function openWebGpu(takeSoftware: boolean, precision: 'automatic' | 'full'): Promise<OpenedRuntime> {
  const opened = { runtime: await openTested(takeSoftware), fallbackReason: '' };
  if (precision === 'full') return { ...opened, noHalfReason: '' };
  if (opened.runtime.weightType === 'float32')
    return { ...opened, noHalfReason: 'this GPU has no 16-bit numbers' };
  try {
    return { ...opened, noHalfReason: await halfSelfTest(opened.runtime) };
  } catch (error) {
    await opened.runtime.dispose(); // the device may be gone
    return { ...opened, runtime: await openTested(takeSoftware), noHalfReason: reasonOf(error) };
  }
}

async function openTested(takeSoftware: boolean): Promise<Runtime> {
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
