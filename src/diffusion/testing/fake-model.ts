// The fake model of tools/oracle/trajectories.py on float32 arrays, and what reads its fixtures.
import { createTorchGenerator, torchRandn } from '../../base/random';
import { blendByMask } from '../inpainting';
import type { SamplingPlan, SigmaSpacing } from '../plan';
import { sample, type SampleBackend, type SampleLoopRequest } from '../sample';

/** Values of the fixtures' latents, [1, 4, 2, 2]. */
export const size = 16;

/** Float32 values of a fixture. */
export function decode(base64: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);
}

/** The way that a scheduler_config.json of diffusers spaces sigmas. */
export function sigmasOf(config: Readonly<Record<string, unknown>>): SigmaSpacing {
  if (config['use_karras_sigmas'] === true) return 'karras';
  return config['use_exponential_sigmas'] === true ? 'exponential' : 'schedule';
}

/** The latents after every model call, and the estimates of x_0 that came with them, from the noise that the fixtures start from. */
export async function runPlan(
  plan: SamplingPlan,
  request: Omit<SampleLoopRequest<Float32Array>, 'noise' | 'isPreviewDue'> = {},
) {
  const seen: Float32Array[] = [];
  const loop = { ...request, noise: torchRandn(7, size), isPreviewDue: () => true };
  const job = sample(plan, fakeBackend(seen), loop, new AbortController().signal);
  const denoised: (Float32Array | undefined)[] = [];
  let next = await job.next();
  for (; !next.done; next = await job.next()) denoised.push(next.value.x0);
  return { latents: [...seen.slice(1), next.value], denoised };
}

/** The largest error over rows of `size` values, each max abs difference over max abs reference. */
export function largestError(rows: readonly Float32Array[], expected: Float32Array): number {
  const errors = rows.map((row, i) => {
    const wanted = expected.subarray(i * size, (i + 1) * size);
    const difference = Math.max(...wanted.map((x, k) => Math.abs(row[k]! - x)));
    return difference / Math.max(...wanted.map(Math.abs));
  });
  return Math.max(...errors);
}

// `seen` collects each x that the model was given.
function fakeBackend(seen: Float32Array[]): SampleBackend<Float32Array> {
  const random = createTorchGenerator(1000);
  const noise = createTorchGenerator(500);
  return {
    async predict(x, timestep, inputScale) {
      seen.push(x);
      const r = random.randn(size);
      return x.map((value, i) => 0.3 * value * inputScale + 0.5 * r[i]! + (0.2 * timestep) / 1000);
    },
    async linear(terms) {
      return Float32Array.from({ length: size }, (_, i) =>
        terms.reduce((sum, [coefficient, tensor]) => sum + coefficient * tensor[i]!, 0),
      );
    },
    blend: async (mask, drawn, kept) => blendByMask(mask, drawn, kept, [1, 4, 2, 2]),
    noise: async () => noise.randn(size),
    dispose: () => undefined,
  };
}
