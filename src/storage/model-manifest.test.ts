import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseModelManifest } from './model-manifest';

const folder = new URL('../../public/models/bundled/', import.meta.url);
const text = readFileSync(new URL('likeness.json', folder), 'utf8');
const bundled = JSON.parse(text) as Record<string, unknown>;
const file = { path: 'unet/config.json', sizeBytes: 3, sha256: 'ab'.repeat(32) };

test('the bundled model’s manifest is true', () => {
  const { files, ...rest } = parseModelManifest(text, 'likeness.json');
  expect(rest).toEqual({
    version: 1,
    id: 'bundled',
    name: 'Likeness 64',
    license: 'CC BY-SA 4.0',
    resolution: 64,
    sampling: { sampler: 'ddim', steps: 20, guidance: 4, guidanceRescale: 0.7 },
    training: { learningRate: 1e-3 },
  });
  for (const { path, sizeBytes, sha256 } of files) {
    const bytes = readFileSync(new URL(path, folder));
    expect([path, bytes.length]).toEqual([path, sizeBytes]);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
  }
  const paths = files.map(({ path }) => path);
  for (const name of [
    'unet/diffusion_pytorch_model.safetensors',
    'tokenizer/vocab.json',
    'model_index.json',
  ]) {
    expect(paths).toContain(name);
  }
});

test.each([
  ['newer version', { version: 2 }, 'version: '],
  ['extra field', { extra: 1 }, ': '],
  ['no files', { files: [] }, 'files: '],
  ['outside', { files: [{ ...file, path: '../secret' }] }, 'files.0.path: '],
  ['outside, within', { files: [{ ...file, path: 'unet/../../secret' }] }, 'files.0.path: '],
  ['absolute', { files: [{ ...file, path: '/etc/passwd' }] }, 'files.0.path: '],
  ['another server', { files: [{ ...file, path: 'https://example.org/x' }] }, 'files.0.path: '],
  ['short hash', { files: [{ ...file, sha256: 'ab' }] }, 'files.0.sha256: '],
  ['empty file', { files: [{ ...file, sizeBytes: 0 }] }, 'files.0.sizeBytes: '],
  ['twice', { files: [file, file] }, 'files: a path stands twice'],
  [
    'no steps',
    { sampling: { sampler: 'ddim', steps: 0, guidance: 4, guidanceRescale: 0 } },
    'sampling.steps: ',
  ],
])('refuses a manifest that is not right: %s', (_, change, start) => {
  const parse = () => parseModelManifest(JSON.stringify({ ...bundled, ...change }), 'likeness.json');
  expect(parse).toThrow(expect.objectContaining({ code: 'bad-file' }) as Error);
  expect(parse).toThrow(`"reason":"${start}`);
});

test('refuses what is no JSON', () => {
  expect(() => parseModelManifest('<html>', 'likeness.json')).toThrow('it is not JSON');
});
