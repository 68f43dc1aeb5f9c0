// The app's own GPUDevice: asked for with everything the adapter has that ORT can use, watched for loss and for errors that no
// promise carries. A GPUAdapter gives one device only, so every call asks for a new adapter.
import { AppError, isAppError } from '../base/errors';

export type GpuDevice = {
  readonly device: GPUDevice;
  readonly adapter: string; // the GPU's own words
  readonly isSoftware: boolean; // a CPU that plays GPU: about a hundred times slower than WebAssembly
  readonly memoryLimitBytes: number;
  /** Settles with the reason when the device is gone; never rejects. */
  readonly lost: Promise<string>;
  /** The first error since the last call that WebGPU reported outside of any promise, as an AppError about `what`. */
  takeFailure(what: string): AppError | undefined;
};

// what ORT asks for when it makes a device itself (GetAvailableRequiredFeatures, GetRequiredLimits of its WebGPU backend)
const features: readonly string[] = [
  'shader-f16',
  'subgroups',
  'subgroup-size-control',
  'timestamp-query',
  'chromium-experimental-subgroup-matrix',
];
const limits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxUniformBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const satisfies readonly (keyof GPUSupportedLimits)[];

const softwareNames = /swiftshader|llvmpipe|lavapipe|softpipe|basic render/i;

/** Opens a device of the fastest GPU. Rejects with AppError 'webgpu-missing' (details: reason) where there is none. */
export async function openDevice(): Promise<GpuDevice> {
  const gpu = (navigator as { gpu?: GPU }).gpu; // absent in browsers without WebGPU, whatever the types say
  if (!gpu) throw new AppError('webgpu-missing', { reason: 'this browser has no WebGPU' });
  try {
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
    if (!adapter) throw new AppError('webgpu-missing', { reason: 'the browser offers no GPU' });
    return await open(adapter);
  } catch (error) {
    if (isAppError(error)) throw error;
    throw new AppError('webgpu-missing', { reason: 'the GPU refused' }, error);
  }
}

async function open(adapter: GPUAdapter): Promise<GpuDevice> {
  const { info } = adapter as { info?: GPUAdapterInfo }; // absent in Safari 26.0
  const name = info ? describe(info) : 'unknown GPU';
  const isSoftware = info?.isFallbackAdapter === true || softwareNames.test(name);
  // SwiftShader's subgroups of 4 make ORT's attention kernels wrong
  const wanted = isSoftware ? features.filter((feature) => !feature.startsWith('subgroup')) : features;
  const device = await adapter.requestDevice({
    requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)) as GPUFeatureName[],
    requiredLimits: Object.fromEntries(limits.map((limit) => [limit, adapter.limits[limit]])),
  });

  let failure: GPUError | undefined;
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault();
    failure ??= event.error;
  });
  return {
    device,
    adapter: name,
    isSoftware,
    memoryLimitBytes: estimateMemory(info),
    lost: device.lost.then(({ reason, message }) => `${reason}: ${message}`),
    takeFailure: (what) => {
      if (!failure) return undefined;
      const error = failure;
      failure = undefined;
      const code = error instanceof GPUOutOfMemoryError ? 'out-of-memory' : 'engine-failed';
      return new AppError(code, { what, reason: error.message }, error);
    },
  };
}

function describe({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  return (
    description || [vendor, architecture, device].filter((part) => part !== '').join(' ') || 'unknown GPU'
  );
}

type MemoryHeap = { readonly size: number; readonly properties: number };
const deviceLocal = 1; // GPUHeapProperty.DEVICE_LOCAL

/** WebGPU does not tell how much memory there is: the largest heap where the browser says it, else three quarters of the RAM it admits. */
function estimateMemory(info: GPUAdapterInfo | undefined): number {
  const heaps = (info as { memoryHeaps?: Iterable<MemoryHeap> } | undefined)?.memoryHeaps ?? [];
  const local = [...heaps].filter(({ properties }) => properties & deviceLocal).map(({ size }) => size);
  const { deviceMemory = 8 } = navigator as { deviceMemory?: number }; // GiB, capped by the browser; Chromium only
  return 0.75 * (local.length > 0 ? Math.max(...local) : deviceMemory * 2 ** 30);
}
