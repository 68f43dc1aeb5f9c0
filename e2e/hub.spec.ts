// Models of the hub, from a server of our own under the hub's names: looked up, downloaded, paused, gone on with after a reload, used
// and removed; and what goes wrong on the way.
import { expect, test, type Locator, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { klFiles, taesdFiles } from '../src/engine/testing/autoencoder-files';
import { startHub, type Hub } from '../src/storage/testing/hub-server';
import { draw, goTo, openPage } from './page';
import { hubPort } from './playwright.config';
import { selfSigned } from './self-signed';

const folder = fileURLToPath(new URL('../public/models/bundled/', import.meta.url));
const { files: listed } = JSON.parse(readFileSync(`${folder}likeness.json`, 'utf8')) as {
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
};
const unet = 'unet/diffusion_pytorch_model.safetensors';
const token = 'hf_canary0123456789';

/** The bundled model with one bit of its UNet changed, so that no byte of it is in the browser before. */
const files = new Map(listed.map(({ path }) => [path, readFileSync(`${folder}${path}`)]));
files.set(unet, Buffer.from(files.get(unet)!));
files.get(unet)![files.get(unet)!.length - 1]! ^= 1;
const index = Buffer.from('{"_class_name": "StableDiffusionXLPipeline"}');

let hub: Hub;

test.beforeEach(async () => {
  hub = await startHub(
    [
      { id: 'maker/tiny', files, license: 'cc-by-sa-4.0' },
      { id: 'maker/gated', files, token },
      { id: 'maker/kl', files: new Map([...files, ...klFiles()]), license: 'mit' },
      { id: 'madebyollin/taesd', files: taesdFiles(), license: 'mit' },
      { id: 'maker/large', files: new Map([...files, ['model_index.json', index]]) },
    ],
    { port: hubPort, tls: await selfSigned('huggingface.co'), cdn: () => 'https://cas-bridge.xethub.hf.co' },
  );
});
test.afterEach(() => hub.close());

const lineOf = (page: Page, id: string): Locator =>
  page.getByRole('list', { name: 'Base models' }).getByRole('listitem').filter({ hasText: id });
const button = (line: Locator, name: string): Locator =>
  line.getByRole('button', name === 'Download' ? { name } : { name, exact: true }); // Download names its size

async function lookUp(page: Page, id: string): Promise<Locator> {
  await page.getByRole('textbox', { name: 'Hugging Face model id' }).fill(id);
  await page.getByRole('button', { name: 'Look up', exact: true }).click();
  return lineOf(page, id);
}

/** Requests for the bytes of the UNet, past its header. */
const unetRanges = (): (string | undefined)[] =>
  hub.requests
    .filter(({ path, host }) => path.endsWith(unet) && host.startsWith('cas-bridge'))
    .map(({ range }) => range)
    .filter((range) => !/^bytes=\d+-\d+$/.test(range ?? ''));

test('a model is downloaded, paused, continued after a reload, drawn with and removed', async ({ page }) => {
  await openPage(page, 'models');
  expect(hub.requests).toEqual([]); // nobody was asked before a click
  let line = await lookUp(page, 'maker/tiny');
  await expect(line).toContainText('64 pixels');
  await expect(line).toContainText('cc-by-sa-4.0');

  hub.fail(unet, { kind: 'stall', afterBytes: 18 * 2 ** 20 });
  await button(line, 'Download').click();
  const bar = line.getByRole('progressbar', { name: 'Downloading maker/tiny' });
  await expect
    .poll(async () => Number(await bar.getAttribute('aria-valuenow')), { timeout: 30_000 })
    .toBeGreaterThan(80);
  await expect(button(line, 'Use')).toHaveCount(0);

  await page.reload(); // in the middle, without a word before
  line = lineOf(page, 'maker/tiny');
  await expect(button(line, 'Continue')).toBeVisible();
  hub.fail(unet, { kind: 'stall', afterBytes: 2 ** 20 });
  await button(line, 'Continue').click();
  await button(line, 'Pause').click();
  await expect(button(line, 'Continue')).toBeVisible();
  await expect(button(line, 'Use')).toHaveCount(0);
  hub.fail(unet);
  await button(line, 'Continue').click();
  await expect(button(line, 'Use')).toBeVisible({ timeout: 60_000 });
  const resumed = unetRanges().slice(1);
  expect(resumed.length).toBeGreaterThan(0);
  for (const range of resumed)
    expect(Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1])).toBeGreaterThanOrEqual(16 * 2 ** 20);

  await button(line, 'Use').click();
  await expect(line).toContainText('In use', { timeout: 60_000 });
  await expect(page.getByRole('status', { name: 'Engine' })).toContainText('tiny');
  const pixels = await draw(page, { prompt: 'a red ball', seed: 3, subject: 'None: the base model alone' });
  expect(new Set(pixels).size).toBeGreaterThan(20);

  await goTo(page, 'Models');
  await expect(button(line, 'Remove')).toHaveCount(0); // in use
  await button(lineOf(page, 'Bundled model'), 'Use').click();
  await expect(page.getByRole('status', { name: 'Engine' })).toContainText('Likeness 64', {
    timeout: 60_000,
  });
  await button(line, 'Remove').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(line).toHaveCount(0);
  const names = await page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('models');
    const found: string[] = [];
    for await (const name of folder.keys()) found.push(name);
    return found.sort();
  });
  expect(names).toEqual(listed.map(({ sha256 }) => sha256).sort()); // the bundled model's own, which it shared
});

test('what cannot be had or used is said', async ({ page }) => {
  await openPage(page, 'models');
  let line = await lookUp(page, 'maker/large');
  await expect(line.getByRole('alert')).toContainText('Stable Diffusion XL');
  line = await lookUp(page, 'maker/none');
  await expect(line.getByRole('alert')).toContainText('is not there, or it is private');
  line = await lookUp(page, 'maker/gated');
  await expect(line.getByRole('alert')).toContainText('huggingface.co/maker/gated');

  await page.getByText('Token for gated and private models').click();
  await page.getByLabel('Hugging Face token').fill(token);
  line = await lookUp(page, 'maker/gated');
  await expect(line).toContainText('64 pixels');
  hub.fail(unet, { kind: 'wrong' });
  await button(line, 'Download').click();
  await expect(line.getByRole('alert')).toContainText('has another content', { timeout: 60_000 });
  await expect(button(line, 'Use')).toHaveCount(0);
  await button(line, 'Continue').click();
  await expect(button(line, 'Use')).toBeVisible({ timeout: 60_000 });

  const elsewhere = hub.requests.filter(({ host }) => host !== 'huggingface.co');
  expect(elsewhere.length).toBeGreaterThan(0);
  expect(elsewhere.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
  expect(
    hub.requests.filter(({ method, host }) => method === 'OPTIONS' && host !== 'huggingface.co'),
  ).toEqual([]);
  const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }) + document.body.innerText);
  expect(kept).not.toContain(token);
});

test('a model with a large decoder is previewed roughly, and sharply with TAESD', async ({ page }) => {
  await openPage(page, 'models');
  const line = await lookUp(page, 'maker/kl');
  await expect(line).toContainText('128 pixels');
  await button(line, 'Download').click();
  await button(line, 'Use').click({ timeout: 60_000 });
  await expect(line).toContainText('In use', { timeout: 60_000 });

  await goTo(page, 'Create');
  await page.getByRole('textbox', { name: 'Prompt', exact: true }).fill('a red ball');
  await page.getByRole('spinbutton', { name: 'Steps' }).fill('200');
  const live = page.getByRole('region', { name: 'Drawing' }).locator('canvas');
  const preview = async (side: number) => {
    await page.getByRole('button', { name: 'Generate' }).click();
    await expect(live).toHaveJSProperty('width', side, { timeout: 30_000 });
    await page.getByRole('button', { name: 'Stop' }).click();
    await expect(live).toBeHidden();
  };
  await preview(16); // one pixel a latent

  const tip = page.getByText('Previews of this model are rough colours.');
  await expect(tip).toBeVisible();
  const decoder = page.getByRole('list', { name: 'Preview decoder' });
  await decoder.getByRole('button', { name: 'Look up size' }).click();
  await decoder.getByRole('button', { name: 'Download 9.8 MB' }).click();
  await expect(tip).toBeHidden({ timeout: 30_000 });
  await preview(128);

  await goTo(page, 'Models');
  await expect(decoder).toContainText('9.8 MB · mit');
  await expect(decoder.getByRole('button', { name: 'Use', exact: true })).toHaveCount(0);
  await expect(lineOf(page, 'madebyollin/taesd')).toHaveCount(0); // no base model
  await decoder.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(decoder.getByRole('button', { name: 'Look up size' })).toBeVisible();
});
