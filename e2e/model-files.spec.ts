// Models that a person has as files: a checkpoint of real size chosen on the page, a folder dropped on it, and what is no model.
import { expect, test, type Locator, type Page } from '@playwright/test';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { shapesInFile, zeroHeader } from '../src/engine/testing/real-size';
import { stableDiffusion1 } from '../src/models/presets/stable-diffusion';
import { startHub, type Hub } from '../src/storage/testing/hub-server';
import { watchWorkers } from '../tools/worker-memory.mjs';
import { draw, goTo, openPage } from './page';
import { hubPort } from './playwright.config';
import { selfSigned } from './self-signed';

const folder = fileURLToPath(new URL('../public/models/bundled', import.meta.url));
const clip = 'openai/clip-vit-large-patch14';
// CLIP's own vocabulary is no part of this repository: another one stands for it, and its hash for CLIP's in the page's script.
const vocabulary = new Map(
  ['vocab.json', 'merges.txt'].map((name) => [name, readFileSync(`${folder}/tokenizer/${name}`)]),
);
const stands: readonly (readonly [name: string, sizeBytes: string, sha256: string])[] = [
  ['vocab.json', '1059962', 'e089ad92ba36837a0d31433e555c8f45fe601ab5c221d4f607ded32d9f7a4349'],
  ['merges.txt', '524619', '9fd691f7c8039210e0fced15865466c65820d09b63988b0174bfe25de299051a'],
];

let hub: Hub;

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

/** Gives the page's scripts the sizes and hashes of the vocabulary that the hub has here. */
async function exchangeVocabulary(page: Page): Promise<void> {
  await page.route('**/assets/*.js', async (route) => {
    const response = await route.fetch();
    let script = await response.text();
    for (const [name, sizeBytes, sha256] of stands) {
      const bytes = vocabulary.get(name)!;
      script = script
        .replace(sizeBytes, String(bytes.length))
        .replace(sha256, createHash('sha256').update(bytes).digest('hex'));
    }
    await route.fulfill({ response, body: script });
  });
}

/** Chooses a file that begins with `header` and goes on with zeros: it takes no memory. */
const chooseZeros = (page: Page, name: string, header: Uint8Array, zeroBytes: number): Promise<void> =>
  page.getByLabel('Model file or folder').evaluate(
    (input: HTMLInputElement, { name, header, zeroBytes }) => {
      const piece = new Blob([new Uint8Array(2 ** 20)]);
      const pieces = new Array<Blob>(Math.floor(zeroBytes / piece.size)).fill(piece);
      const transfer = new DataTransfer();
      transfer.items.add(
        new File([Uint8Array.from(header), ...pieces, piece.slice(0, zeroBytes % piece.size)], name),
      );
      input.files = transfer.files;
      input.dispatchEvent(new Event('change', { bubbles: true }));
    },
    { name, header: [...header], zeroBytes },
  );

test('a Stable Diffusion 1.5 in one file is imported, used and removed', async ({ page }) => {
  await exchangeVocabulary(page);
  await openPage(page, 'models');
  hub.fail('vocab.json', { kind: 'status', status: 418 });
  const { header, dataBytes } = zeroHeader(shapesInFile(stableDiffusion1, 'clip'));
  await chooseZeros(page, 'my-merge.safetensors', header, dataBytes);
  const line = lineOf(page, 'my-merge');
  await expect(line.getByRole('alert')).toContainText('The connection to the hub broke');

  const { peaks } = await watchWorkers(page, async () => {
    await line.getByRole('button', { name: 'Try again' }).click();
    await expect(line.getByRole('button', { name: 'Use' })).toBeVisible({ timeout: 120_000 });
  });
  console.log(peaks);
  expect(peaks['library.worker']).toBeGreaterThan(2 ** 20);
  expect(peaks['library.worker']).toBeLessThan(100e6); // of 2.1 GB
  await expect(line).toContainText('local/my-merge');
  await expect(line).toContainText('2.1 GB');

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
