// Models that a person has as files: a checkpoint of real size chosen on the page, a folder dropped on it, and what is no model.
import { expect, test, type Locator, type Page } from '@playwright/test';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { preview } from 'vite';
import { shapesInFile } from '../src/engine/testing/real-size';
import { stableDiffusion1 } from '../src/models/presets/stable-diffusion';
import { startHub, type Hub } from '../src/storage/testing/hub-server';
import { tiedCheckpoint } from '../src/weights/testing/torch-file';
import { watchWorkers } from '../tools/worker-memory.mjs';
import { draw, goTo, openPage } from './page';
import { hubPort } from './playwright.config';
import { selfSigned } from './self-signed';

const folder = fileURLToPath(new URL('../public/models/bundled', import.meta.url));
const clip = 'openai/clip-vit-large-patch14';
// CLIP's own vocabulary is no part of this repository: another one stands for it, and its hash for CLIP's in a copy of the page.
const vocabulary = new Map(
  ['vocab.json', 'merges.txt'].map((name) => {
    const bundled = readFileSync(`${folder}/tokenizer/${name}`, 'utf8');
    return [name, Buffer.from(`${bundled}\n`)]; // not the very file, which is in the browser already
  }),
);
const stands: readonly (readonly [name: string, sizeBytes: string, sha256: string])[] = [
  ['vocab.json', '1059962', 'e089ad92ba36837a0d31433e555c8f45fe601ab5c221d4f607ded32d9f7a4349'],
  ['merges.txt', '524619', '9fd691f7c8039210e0fced15865466c65820d09b63988b0174bfe25de299051a'],
];

const port = 4182;
test.use({ baseURL: `http://127.0.0.1:${port}/` });

let hub: Hub;
let server: Awaited<ReturnType<typeof serveCopy>>;

test.beforeAll(async () => {
  server = await serveCopy();
});
test.afterAll(() => server.close());
test.beforeEach(async () => {
  hub = await startHub([{ id: clip, files: vocabulary }], {
    port: hubPort,
    tls: await selfSigned('huggingface.co'),
    cdn: () => 'https://cas-bridge.xethub.hf.co',
  });
});
test.afterEach(() => hub.close());

const lineOf = (page: Page, id: string): Locator =>
  page.getByRole('list', { name: 'Base models' }).getByRole('listitem').filter({ hasText: id });

/** A copy of the build whose scripts know the vocabulary that the hub has here, served as the build is. */
async function serveCopy(): Promise<{ readonly close: () => Promise<void> }> {
  const outDir = await mkdtemp(join(tmpdir(), 'model-files-'));
  await cp(fileURLToPath(new URL('../dist', import.meta.url)), outDir, { recursive: true });
  const assets = join(outDir, 'assets');
  const worker = (await readdir(assets)).find((name) => /^library\.worker-.*\.js$/.test(name))!;
  let script = await readFile(join(assets, worker), 'utf8');
  for (const [name, sizeBytes, sha256] of stands) {
    const bytes = vocabulary.get(name)!;
    script = script
      .replace(sizeBytes, String(bytes.length))
      .replace(sha256, createHash('sha256').update(bytes).digest('hex'));
  }
  await writeFile(join(assets, worker), script);
  const server = await preview({
    root: fileURLToPath(new URL('..', import.meta.url)),
    logLevel: 'error',
    build: { outDir },
    preview: { port, strictPort: true },
  });
  return {
    close: async () => {
      await server.close();
      await rm(outDir, { recursive: true });
    },
  };
}

test('a Stable Diffusion 1.5 in one file is imported, used and removed', async ({ page }, testInfo) => {
  await openPage(page, 'models');
  hub.fail('vocab.json', { kind: 'status', status: 418 });
  const path = testInfo.outputPath('my-merge.ckpt');
  const file = tiedCheckpoint(shapesInFile(stableDiffusion1, 'clip'));
  await writeFile(path, Buffer.from(await file.arrayBuffer()));
  await page.getByLabel('Model file or folder').setInputFiles(path);
  const line = lineOf(page, 'my-merge');
  await expect(line.getByRole('alert')).toContainText('The connection to the hub broke');

  const { peaks } = await watchWorkers(page, async () => {
    await line.getByRole('button', { name: 'Try again' }).click();
    await expect(line.getByRole('button', { name: 'Use' })).toBeVisible({ timeout: 120_000 });
  });
  expect(peaks['library.worker']).toBeGreaterThan(2 ** 20);
  expect(peaks['library.worker']).toBeLessThan(file.size / 2); // it streams
  await expect(line).toContainText('local/my-merge');
  await expect(line).toContainText('76 MB');

  await line.getByRole('button', { name: 'Use' }).click();
  await expect(line).toContainText('In use');
  await expect(page.getByRole('status', { name: 'Engine' })).toContainText('my-merge');
  await lineOf(page, 'Bundled model').getByRole('button', { name: 'Use' }).click();
  await line.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(line).toHaveCount(0);
  await page.reload();
  await expect(lineOf(page, 'Bundled model')).toBeVisible();
  await expect(line).toHaveCount(0);
});

/** Drops files and folders of this machine on the frame around "Model file or folder", as a person does. */
async function drop(page: Page, ...paths: readonly string[]): Promise<void> {
  const input = page.getByLabel('Model file or folder');
  await input.scrollIntoViewIfNeeded();
  const { x, y } = (await input.boundingBox())!;
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [...paths], dragOperationsMask: 1 }; // 1 = a copy
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await session.send('Input.dispatchDragEvent', { type, x: x + 20, y: y - 8, data });
  await session.detach();
}

test('a folder that is dropped is a model, and what is no model is told', async ({ page }) => {
  await openPage(page, 'models');
  await drop(page, folder);
  const line = lineOf(page, 'local/bundled');
  await line.getByRole('button', { name: 'Use' }).click({ timeout: 60_000 });
  await expect(line).toContainText('In use');
  const pixels = await draw(page, { prompt: 'a red ball', seed: 3, subject: 'None: the base model alone' });
  expect(new Set(pixels).size).toBeGreaterThan(20);

  await goTo(page, 'Models');
  const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  const pickle = '../src/weights/__fixtures__/torch-runs-something.ckpt';
  for (const [path, name, reason] of [
    ['fixtures/photo.webp', 'photo.webp', 'neither a folder in diffusers layout nor a file of weights'],
    ['fixtures', 'fixtures', 'neither a folder in diffusers layout nor a file of weights'],
    [pickle, 'torch-runs-something.ckpt', 'it wants "posix.system" to be run'],
  ] as const) {
    await drop(page, here(path));
    const alert = lineOf(page, name).getByRole('alert');
    await expect(alert).toContainText(reason);
    await alert.getByRole('button', { name: 'Dismiss' }).click();
  }
  expect(hub.requests).toEqual([]);
});
