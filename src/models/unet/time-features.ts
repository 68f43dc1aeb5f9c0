// Sinusoidal features of a time step (Vaswani et al. 2017), as diffusers' get_timestep_embedding: computed here and fed to the
// graph, since WGSL promises sin and cos only on [-π, π], to 2^-11.
import type { UnetConfig } from './config';

/** Features [t.length, block_out_channels[0]] of time steps t in [0, 1000), float32 steps where PyTorch has them. */
export function timeFeatures(config: UnetConfig, timesteps: readonly number[]): Float32Array<ArrayBuffer> {
  const size = config.block_out_channels[0]!;
  const half = size / 2;
  const features = new Float32Array(timesteps.length * size);
  const [sines, cosines] = config.flip_sin_to_cos ? [half, 0] : [0, half];
  for (let i = 0; i < half; i++) {
    const exponent = Math.fround(Math.fround(-Math.log(10000) * i) / (half - config.freq_shift));
    const frequency = Math.fround(Math.exp(exponent));
    timesteps.forEach((t, row) => {
      const angle = Math.fround(t * frequency);
      features[row * size + sines + i] = Math.sin(angle);
      features[row * size + cosines + i] = Math.cos(angle);
    });
  }
  return features;
}

/**
 * Features [size] of a guidance scale, for UNets that take it as an input in place of a second, unconditional pass (latent consistency
 * models: Luo et al. 2023, section 4.2), as diffusers' get_guidance_scale_embedding.
 */
export function guidanceFeatures(guidance: number, size: number): Float32Array<ArrayBuffer> {
  const half = Math.floor(size / 2);
  const features = new Float32Array(size);
  const step = Math.fround(Math.fround(Math.log(10000)) / (half - 1));
  const weight = Math.fround(Math.fround(guidance - 1) * 1000); // how much is added beyond the conditional prediction
  for (let i = 0; i < half; i++) {
    const angle = Math.fround(weight * Math.fround(Math.exp(Math.fround(-step * i))));
    features[i] = Math.sin(angle);
    features[half + i] = Math.cos(angle);
  }
  return features;
}
