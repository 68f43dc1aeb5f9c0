// Samplers and how they space their noise levels, by the names that people know.
import type { SamplerName, SigmaSpacing } from '../engine/contract';

export const samplerLabels: Readonly<Record<SamplerName, string>> = {
  ddim: 'DDIM',
  ddpm: 'DDPM',
  euler: 'Euler',
  'euler-ancestral': 'Euler ancestral',
  heun: 'Heun',
  'dpmpp-2m': 'DPM++ 2M',
  'dpmpp-2m-sde': 'DPM++ 2M SDE',
  unipc: 'UniPC',
  pndm: 'PNDM (PLMS)',
  lcm: 'LCM',
  tcd: 'TCD',
};

export const sigmaLabels: Readonly<Record<SigmaSpacing, string>> = {
  schedule: 'The model’s own',
  karras: 'Karras',
  exponential: 'Exponential',
};
