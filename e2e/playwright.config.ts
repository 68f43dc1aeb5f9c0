// Browser tests of the production build, served by `vite preview` with the headers that a real server must send.
import { defineConfig } from '@playwright/test';
import { fileURLToPath } from 'node:url';
import { findChromium } from '../tools/chromium.mjs';

const port = process.env['E2E_PORT'] ?? '4174';
const executablePath = findChromium();
const quiet = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
];
const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
// WebGPU without a GPU: right, and about a hundred times slower than WebAssembly, so these tests stay tiny.
const softwareGpu = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

// The hub's names lead to a server of the test's own, whose certificate nobody signed.
export const hubPort = Number(process.env['E2E_HUB_PORT'] ?? 4175);
const localHub = [
  '--ignore-certificate-errors',
  `--host-resolver-rules=MAP huggingface.co:443 127.0.0.1:${hubPort},MAP cas-bridge.xethub.hf.co:443 127.0.0.1:${hubPort}`,
];

const hubTests = ['**/hub.spec.ts', '**/model-files.spec.ts'];

function browser(args: readonly string[]) {
  return {
    launchOptions: { args: [...quiet, ...sandbox, ...args], ...(executablePath && { executablePath }) },
  };
}

export default defineConfig({
  testDir: '.',
  outputDir: '../test-results',
  forbidOnly: process.env['CI'] !== undefined,
  fullyParallel: false,
  workers: 1, // a training test wants every core
  retries: 0,
  timeout: 240_000,
  globalTimeout: 15 * 60_000,
  expect: { timeout: 15_000 },
  use: {
    baseURL: `http://127.0.0.1:${port}/`,
    serviceWorkers: 'allow',
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
  },
  projects: [
    { name: 'wasm', testIgnore: ['**/*.webgpu.spec.ts', ...hubTests], use: browser([]) },
    { name: 'hub', testMatch: hubTests, use: browser(localHub) },
    { name: 'webgpu', testMatch: '**/*.webgpu.spec.ts', use: browser(softwareGpu) },
  ],
  webServer: {
    command: `npx vite preview --port ${port} --strictPort`,
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    url: `http://127.0.0.1:${port}/`,
    reuseExistingServer: false,
  },
});
