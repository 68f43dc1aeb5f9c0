// Samplers by the names that people know.
import type { SamplerName } from '../engine/contract';

export const samplerLabels: Readonly<Record<SamplerName, string>> = {
  ddim: 'DDIM',
  euler: 'Euler',
  'euler-ancestral': 'Euler ancestral',
};
