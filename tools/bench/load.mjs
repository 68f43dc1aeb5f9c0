// What the engine's worker takes while a whole Stable Diffusion 1.5 goes to the GPU (e2e/engine-page, on the software GPU, whose memory
// is this machine's: 5 GB of it).
import { fileURLToPath } from 'node:url';
import { watchWorkers } from '../worker-memory.mjs';
import { serveBuild } from './serve.mjs';

const goalBytes = 100e6;

/** A row of the table; `launch` starts a browser with switches. */
export async function measureLoad(launch) {
  const browser = await launch('--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader');
  const server = await serveBuild({
    configFile: fileURLToPath(new URL('../../vite.config.ts', import.meta.url)),
    root: fileURLToPath(new URL('../../e2e/engine-page', import.meta.url)),
    publicDir: false,
  });
  try {
    const page = await browser.newPage();
    await page.goto(server.url);
    const question = { scenario: 'loadReal', input: ['unet', 'text_encoder', 'vae'] };
    const { result, peaks } = await watchWorkers(page, () =>
      page.evaluate((asked) => window.askWorker('runtime', asked), question),
    );
    if ('failure' in result) throw new Error(result.failure);
    const { sizeBytes, wasmGrowth } = result.value;
    const peak = peaks['runtime.worker'];
    return {
      what: `worker’s heap and buffers while ${(sizeBytes / 1e9).toFixed(2)} GB load on WebGPU`,
      result: `${(peak / 1e6).toFixed(0)} MB`,
      goal: `< ${goalBytes / 1e6} MB`,
      isMet: peak < goalBytes && wasmGrowth === 0,
      measured: `wasm heap grew by ${wasmGrowth} bytes`,
    };
  } finally {
    await browser.close();
    await server.close();
  }
}
