// Bad input gets a sentence, and nothing is lost.
import { expect, test, type Page } from '@playwright/test';
import { fileURLToPath } from 'node:url';
import { loadSample, openPage, photosOf, startTraining } from './page';

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

const addPhotos = (page: Page, ...names: readonly string[]): Promise<void> =>
  page.getByLabel('Subject photos').setInputFiles(names.map(fixture));

/** Adds pictures made in the page, each of another colour. */
const addPainted = (page: Page, count: number, width = 96, height = 72): Promise<void> =>
  page.evaluate(
    async ({ count, width, height }) => {
      const files = new DataTransfer();
      for (let i = 0; i < count; i++) {
        const canvas = new OffscreenCanvas(width, height);
        const context = canvas.getContext('2d')!;
        context.fillStyle = `hsl(${(360 * i) / count} 60% 50%)`;
        context.fillRect(0, 0, width, height);
        files.items.add(new File([await canvas.convertToBlob()], `painted-${i}.png`, { type: 'image/png' }));
      }
      const input = document.querySelector<HTMLInputElement>('input[type=file][multiple]')!;
      input.files = files.files;
      input.dispatchEvent(new Event('change', { bubbles: true }));
    },
    { count, width, height },
  );

test('files that are no photos are refused one by one, the rest is added', async ({ page }) => {
  await openPage(page);
  await addPhotos(page, 'text.jpg', 'empty.jpg', 'photo.heic', 'truncated.jpg', 'orientation6.jpg');
  await expect(photosOf(page)).toHaveCount(1);
  for (const name of ['text.jpg', 'empty.jpg', 'photo.heic', 'truncated.jpg'])
    await expect(page.getByText(`“${name}”`)).toBeVisible();
  await expect(page.getByText('is empty: it holds no bytes')).toBeVisible();
  await expect(page.getByText('is a HEIC photo')).toBeVisible();

  await addPhotos(page, 'orientation6.jpg');
  await expect(page.getByText('is here already')).toBeVisible();
  await expect(photosOf(page)).toHaveCount(1);
  await page.reload();
  await expect(photosOf(page)).toHaveCount(1);
});

test('a run starts only when what it needs is there', async ({ page }) => {
  await openPage(page);
  await startTraining(page);
  await expect(page.getByText('at least one photo')).toBeVisible();
  await addPainted(page, 1);
  await expect(photosOf(page)).toHaveCount(1);
  await expect(page.getByText('One photo works')).toBeVisible();
  await startTraining(page);
  await expect(page.getByText('The class is empty')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Pause' })).toHaveCount(0);
  await page.getByRole('combobox', { name: 'Class' }).fill('toy');
  await page.getByRole('spinbutton', { name: 'Steps', exact: true }).fill('0');
  await startTraining(page);
  await expect(page.getByText('A setting is outside its range')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Pause' })).toHaveCount(0);
});

test('sixty photos and one of 108 megapixels are taken', async ({ page }) => {
  await openPage(page);
  await addPainted(page, 60);
  await expect(photosOf(page)).toHaveCount(60, { timeout: 60_000 });
  await addPainted(page, 1, 12000, 9000);
  await expect(photosOf(page)).toHaveCount(61, { timeout: 90_000 });
});

/** A safetensors file of this header, followed by `size` zero bytes. */
function safetensors(header: object, size: number): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(size)]);
}

const tensor = (shape: readonly number[], start: number, end: number) => ({
  dtype: 'F32',
  shape,
  data_offsets: [start, end],
});

test('LoRA files that cannot be used are refused with the reason', async ({ page }) => {
  await openPage(page, 'models');
  const foreign = safetensors(
    { 'lora_unet_single_blocks_0_linear1.lora_down.weight': tensor([1, 1], 0, 4) },
    4,
  );
  const files: readonly (readonly [string, Buffer])[] = [
    ['cut.safetensors', safetensors({ a: tensor([4], 0, 16) }, 8)],
    ['outside.safetensors', safetensors({ a: tensor([4], 1e6, 1e6 + 16) }, 16)],
    ['foreign.safetensors', foreign],
    ['text.safetensors', Buffer.from('hello, this is no tensor file at all')],
  ];
  for (const [name, buffer] of files) {
    await page
      .getByLabel('LoRA or embedding file')
      .setInputFiles({ name, mimeType: 'application/octet-stream', buffer });
    await expect(page.getByRole('alert').filter({ hasText: name })).toBeVisible();
  }
  await expect(page.getByRole('list', { name: 'Subjects' })).toHaveCount(0);
});

test('a full disk is told and the photos stay on the page', async ({ page, baseURL }) => {
  // Before the page's first write: Chromium keeps what it found to be free for half a minute, and uses it up before it looks again.
  const session = await page.context().newCDPSession(page);
  const { origin } = new URL(baseURL!);
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 });
  await openPage(page);
  await expect(page.getByText('No room left')).toBeHidden();
  await addPhotos(page, 'orientation1.jpg');
  await expect(page.getByText('No room left')).toBeVisible();
  await expect(photosOf(page)).toHaveCount(1);
  await session.send('Storage.overrideQuotaForOrigin', { origin });
  await page.getByRole('textbox', { name: 'Caption' }).fill('a photo of sks cup');
  await expect(page.getByText('No room left')).toBeHidden();
  await page.reload();
  await expect(page.getByRole('textbox', { name: 'Caption' })).toHaveValue('a photo of sks cup');
});

test('a model file that the server does not have is named, and the next try works', async ({ page }) => {
  await page
    .context()
    .route('**/unet/*.safetensors', (route) => route.fulfill({ status: 404, body: 'gone' }));
  await page.goto('./');
  await expect(page.getByText('“unet/diffusion_pytorch_model.safetensors” is not on the server')).toBeVisible(
    {
      timeout: 30_000,
    },
  );
  await page.context().unroute('**/unet/*.safetensors');
  await page.getByRole('button', { name: 'Start the engine again' }).click();
  await expect(page.getByRole('status', { name: 'Engine' })).toContainText('Likeness 64', {
    timeout: 60_000,
  });
  await loadSample(page);
});
