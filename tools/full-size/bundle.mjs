// Bundles a script of this folder with what it needs of src/, so that Node can run it.
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Calls `use` with the path of the bundled `script`, which is removed afterwards. */
export async function withBundle(script, use) {
  const folder = await mkdtemp(join(root, 'node_modules/.full-size-')); // inside, so that onnxruntime-node is found
  try {
    await build({
      configFile: false,
      root,
      logLevel: 'warn',
      publicDir: false,
      build: {
        ssr: `tools/full-size/${script}`,
        outDir: folder,
        target: 'node20',
        rolldownOptions: { output: { entryFileNames: script } },
      },
    });
    await use(join(folder, script));
  } finally {
    await rm(folder, { recursive: true });
  }
}
