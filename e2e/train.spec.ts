// The main job: photos in, training, pictures of the subject, a file out that another profile draws the same picture with.
import { expect, test, type Page } from '@playwright/test';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  draw,
  evaluationsOf,
  exportAs,
  goTo,
  loadSample,
  openPage,
  photosOf,
  setSettings,
  startTraining,
  waitForEnd,
} from './page';

const photoFolder = fileURLToPath(new URL('../../shared/data/dreambooth/dog/', import.meta.url));

const steps = 60;
const settings = [
  ['Steps', steps],
  ['Class pictures', 4],
  ['Sampling of class pictures', 6],
  ['Preview interval', 30],
  ['Evaluation interval', 1],
] as const;

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Trains what is on the workbench; the weights must have learned: on the same photos, time steps and noise the loss falls (an
 * untrained run's stays what it was, to the last digit). The rendered toy is nearer to what the bundled model knows than real photos.
 */
async function train(page: Page, { falls }: { readonly falls: number }): Promise<void> {
  await setSettings(page, settings);
  await startTraining(page);
  await waitForEnd(page);
  const losses = (await evaluationsOf(page)).map(({ loss }) => loss);
  expect(losses).toHaveLength(steps + 1);
  expect(mean(losses.slice(-10))).toBeLessThan((1 - falls) * mean(losses.slice(0, 10)));
}

test('the sample subject is learned, drawn, exported and drawn again from the file', async ({
  page,
  browser,
}) => {
  await openPage(page);
  await loadSample(page);
  await train(page, { falls: 0.07 });
  await expect(page.getByRole('list', { name: 'Previews' }).getByRole('img')).toHaveCount(3);
  await expect(page.getByRole('list', { name: 'Checkpoints' }).getByRole('listitem').first()).toBeVisible();

  const size = page.viewportSize()!;
  await page.setViewportSize({ width: 390, height: size.height }); // a chart that was wide shrinks with the window
  const rightEdge = async () => {
    const { x, width } = (await page.getByRole('figure', { name: 'Loss' }).boundingBox())!;
    return x + width;
  };
  await expect.poll(rightEdge).toBeLessThanOrEqual(390);
  await page.setViewportSize(size);

  const file = await exportAs(page, /kohya/);
  expect(file.name).toBe('Pomlo.safetensors');
  await expect(page.getByRole('menu')).toBeHidden();
  const prompt = 'a photo of sks toy in the snow';
  const drawn = await draw(page, { prompt, seed: 7, subject: 'Pomlo' });
  expect(new Set(drawn).size).toBeGreaterThan(50); // a picture, not a plain surface
  const without = await draw(page, {
    prompt,
    seed: 7,
    subject: 'None: the base model alone',
  });
  expect(without).not.toEqual(drawn);

  const fresh = await browser.newContext();
  const other = await fresh.newPage();
  await openPage(other, 'models');
  await other
    .getByLabel('LoRA or embedding file')
    .setInputFiles({ name: file.name, mimeType: 'application/octet-stream', buffer: file.bytes });
  await expect(other.getByRole('list', { name: 'LoRA files' }).getByText('Pomlo')).toBeVisible();
  expect(await draw(other, { prompt, seed: 7, subject: 'Pomlo' })).toEqual(drawn);
  await fresh.close();

  await page.reload();
  await goTo(page, 'Create');
  await expect(page.getByRole('list', { name: 'Images' }).getByRole('img')).toHaveCount(2);
});

test('real photos are learned', async ({ page }) => {
  test.skip(!existsSync(photoFolder), 'the DreamBooth photos are not beside this checkout');
  await openPage(page);
  const files = readdirSync(photoFolder).map((name) => photoFolder + name);
  await page.getByLabel('Subject photos').setInputFiles(files);
  await expect(photosOf(page)).toHaveCount(files.length);
  await page.getByRole('combobox', { name: 'Class' }).fill('dog');
  await expect(page.getByRole('textbox', { name: 'Caption' }).first()).toHaveValue('a photo of sks dog');
  await train(page, { falls: 0.05 });
});
