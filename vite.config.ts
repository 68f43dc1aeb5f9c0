// Vite (build, dev and preview servers) and Vitest. Cross-origin isolation on every server gives WebAssembly its threads.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { licenses } from './.config/licenses.ts';
import { openaiEndpoint } from './.config/openai-endpoint/plugin.ts';
import { securityPolicy } from './.config/security-policy.ts';
import { serviceWorker } from './.config/service-worker.ts';

const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

// What the first place shares with the others is one file: thirty small ones compress worse. What only the others need stays out of it.
const shared = /\/src\/(?:base|storage|state|ui\/(?:components|hooks|shell))\//;
const lazy = /Dialog|Copy|Live|router|sign-in|ask-model|draw-tool|local-draw|endpoint/;
const isShared = (file: string) => shared.test(file) && !lazy.test(file);

export default defineConfig({
  base: './', // the build works from any folder of any server
  plugins: [react(), licenses(), serviceWorker(), securityPolicy(), openaiEndpoint()],
  server: { headers, host: '127.0.0.1' },
  preview: { headers, host: '127.0.0.1' },
  worker: {
    format: 'es', // workers import ONNX Runtime dynamically, and with their first use what only some jobs need
    rolldownOptions: {
      output: {
        codeSplitting: { groups: [{ name: 'worker-shared', minShareCount: 2, test: /\/src\/|zod/ }] },
      },
    },
  },
  build: {
    target: 'es2023',
    chunkSizeWarningLimit: 250, // kB
    rolldownOptions: {
      output: {
        strictExecutionOrder: true,
        codeSplitting: { groups: [{ name: 'shared', minShareCount: 2, test: isShared }] },
      },
    },
  },
  // Pre-bundling would move the runtime's script away from the wasm file that it looks for beside itself.
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  test: {
    environment: 'node',
    include: ['src/**/*.test.{ts,tsx}', 'tools/**/*.test.ts', '.config/**/*.test.ts'],
    testTimeout: 60_000, // gradient checks on two slow cores
    hookTimeout: 60_000, // models compiled there
  },
});
