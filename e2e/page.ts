// The page as a person uses it: by the names that stay.
import { expect, type Download, type Locator, type Page } from '@playwright/test';
import { readFile } from 'node:fs/promises';

/** Opens the page and waits until the model can be used. */
export async function openPage(page: Page, place = 'train'): Promise<void> {
  await page.goto(`./#/${place}`);
  await expect(page.getByRole('status', { name: 'Engine' })).toContainText('Likeness 64', {
    timeout: 60_000,
  });
}

export const goTo = (page: Page, place: string): Promise<void> =>
  page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: place }).click();

export const photosOf = (page: Page): Locator =>
  page.getByRole('list', { name: 'Photos' }).getByRole('listitem');

/** Loads the subject that comes with the page. */
export async function loadSample(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Try with sample photos' }).click();
  await expect(photosOf(page)).toHaveCount(6);
}

export type Setting = readonly [name: string, value: number];

/** Sets numbers of the draft, by their labels. */
export async function setSettings(page: Page, settings: readonly Setting[]): Promise<void> {
  await page.getByRole('radio', { name: 'Quick' }).check({ force: true });
  await page.getByText('All settings', { exact: true }).click();
  for (const [name, value] of settings)
    await page.getByRole('spinbutton', { name, exact: true }).fill(String(value));
  await page.getByText('All settings', { exact: true }).click();
}

export const startTraining = (page: Page): Promise<void> =>
  page.getByRole('button', { name: 'Start training' }).click();

const statusOf = (page: Page): Locator => page.getByRole('status', { name: 'Training status' });

/** Waits until the run has finished at least `step` steps. */
export async function waitForStep(page: Page, step: number): Promise<void> {
  await expect
    .poll(async () => Number(/Step\s*(\d+)/.exec(await statusOf(page).innerText())?.[1] ?? 0), {
      timeout: 180_000,
    })
    .toBeGreaterThanOrEqual(step);
}

export const waitForEnd = (page: Page): Promise<void> =>
  expect(page.getByText('All steps done')).toBeVisible({ timeout: 200_000 });

/** The losses on the fixed evaluation set, by step. */
export async function evaluationsOf(page: Page): Promise<{ step: number; loss: number }[]> {
  const summary = page.getByText('Evaluation losses');
  await summary.click();
  const rows = await page.locator('table').getByRole('row').allInnerTexts();
  return rows.slice(1).map((row) => {
    const [step, loss] = row.split(/\s+/).map(Number);
    return { step: step!, loss: loss! };
  });
}

/** Saves the open run's weights by an item of the export menu. */
export async function exportAs(page: Page, item: RegExp): Promise<{ name: string; bytes: Buffer }> {
  await page.getByRole('button', { name: 'Export' }).click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: item }).click(),
  ]);
  return { name: download.suggestedFilename(), bytes: await bytesOf(download) };
}

const bytesOf = async (download: Download): Promise<Buffer> => readFile(await download.path());

/** What stands behind a safetensors header: the tensors alone, without dates. */
export const tensorsOf = (bytes: Buffer): Buffer => bytes.subarray(8 + Number(bytes.readBigUInt64LE(0)));

export type Drawing = { readonly prompt: string; readonly seed: number; readonly subject: string };

/** Draws one picture and answers its pixels. */
export async function draw(page: Page, { prompt, seed, subject }: Drawing): Promise<number[]> {
  await goTo(page, 'Create');
  await page.getByRole('textbox', { name: 'Prompt', exact: true }).fill(prompt);
  await page.getByRole('combobox', { name: 'Subject' }).selectOption({ label: subject });
  await page.getByRole('spinbutton', { name: 'Seed' }).fill(String(seed));
  await page.getByRole('spinbutton', { name: 'Steps' }).fill('8');
  const pictures = page.getByRole('list', { name: 'Images' }).getByRole('img', { name: prompt });
  const before = await pictures.count();
  await page.getByRole('button', { name: 'Generate' }).click();
  await expect(pictures).toHaveCount(before + 1, { timeout: 120_000 });
  const picture = pictures.first(); // the newest
  return picture.evaluate(async (image: HTMLImageElement) => {
    await image.decode();
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
    const context = canvas.getContext('2d')!;
    context.drawImage(image, 0, 0);
    return [...context.getImageData(0, 0, canvas.width, canvas.height).data];
  });
}
