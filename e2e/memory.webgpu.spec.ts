// The memory that is promised before a run starts, against what the buffers on the GPU add up to: Stable Diffusion 1.5 with fewer and
// narrower layers, on WebGPU.
import { expect, test, type Page } from '@playwright/test';
import { overheadBytes } from '../src/engine/sampling-memory';
import { stableDiffusion1 } from '../src/models/presets/stable-diffusion';
import { ask } from './engine-page/ask';
import type { MemoryScenarios } from './engine-page/memory.worker';
import { servePage, type ServedPage } from './serve-page';

// at 24 × 24 latents tensors are megabytes, weights together less than one
const configs = {
  resolution: 192,
  unet: {
    ...stableDiffusion1.unet,
    sample_size: 24,
    layers_per_block: 1,
    block_out_channels: [8, 16, 16],
    down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
    up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
    norm_num_groups: 4,
    attention_head_dim: 1,
    cross_attention_dim: 16,
  },
  textEncoder: {
    ...stableDiffusion1.textEncoder,
    hidden_size: 16,
    intermediate_size: 32,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    vocab_size: 100,
  },
  vae: {
    ...stableDiffusion1.vae,
    layers_per_block: 1,
    block_out_channels: [8, 8, 8, 8],
    norm_num_groups: 4,
  },
  scheduler: stableDiffusion1.scheduler,
};

let server: ServedPage;
let page: Page; // one for all tests: most of the time goes into compiling shaders

test.beforeAll(async ({ browser }) => {
  server = await servePage('engine-page', 4180);
  page = await browser.newPage();
  await page.goto(server.url);
});
test.afterAll(async () => {
  await page.close();
  await server.close();
});

for (const work of ['fast', 'balanced', 'tight', 'sampling'] as const)
  test(`${work} holds what was estimated, and nothing afterwards`, async () => {
    const found = await ask<MemoryScenarios, 'work'>(page, 'memory', 'work', { configs, work });
    const { estimateBytes, peakBytes, beforeBytes, afterBytes, finite } = found;
    expect(finite).toBe(true);
    expect(peakBytes).toBeGreaterThan(10 * beforeBytes); // tensors count, not weights
    expect((estimateBytes - overheadBytes) / peakBytes).toBeGreaterThan(0.9);
    expect((estimateBytes - overheadBytes) / peakBytes).toBeLessThan(1.1);
    expect(afterBytes).toBeLessThan(1.02 * beforeBytes);
  });
