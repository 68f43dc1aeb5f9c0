// Writes public/models/bundled/likeness.json: every file of the bundled model with its size and hash, and how to draw and train with it.
// Run after the model changed: node tools/model-manifest.mjs
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

const folder = fileURLToPath(new URL('../public/models/bundled/', import.meta.url));
const manifestName = 'likeness.json';

const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name !== manifestName && !/(^|\/)\.|\.md$|LICENSE/.test(name))
  .filter((name) => statSync(join(folder, name)).isFile())
  .sort()
  .map((path) => {
    const bytes = readFileSync(join(folder, path));
    return { path, sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  });

const manifest = {
  version: 1,
  id: 'bundled',
  name: 'Likeness 64',
  license: 'CC BY-SA 4.0',
  files,
  resolution: 64,
  sampling: { sampler: 'ddim', steps: 20, guidance: 4, guidanceRescale: 0.7 },
  training: { learningRate: 1e-3 },
};
writeFileSync(join(folder, manifestName), JSON.stringify(manifest, null, 2) + '\n');
const total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
process.stdout.write(`${files.length} files, ${total} bytes\n`);
