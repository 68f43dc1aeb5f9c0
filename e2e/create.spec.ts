// Create without a subject: what the page offers of samplers, and that a person's choices reach the picture.
import { expect, test } from '@playwright/test';
import { fileURLToPath } from 'node:url';
import { draw, openPage } from './page';

test('sampler, noise levels and prompt weights change the picture, and a picture gives its settings back', async ({
  page,
}) => {
  await openPage(page, 'create');
  const sampler = page.getByRole('combobox', { name: 'Sampler' });
  const levels = page.getByRole('combobox', { name: 'Noise levels' });
  const weighting = page.getByRole('checkbox', { name: 'Prompt weighting' });
  await expect(sampler.getByRole('option')).toHaveText([
    'DDIM',
    'DDPM',
    'Euler',
    'Euler ancestral',
    'Heun',
    'DPM++ 2M',
    'DPM++ 2M SDE',
    'UniPC',
    'PNDM (PLMS)',
    'LCM',
    'TCD',
  ]);
  await expect(levels).toBeHidden(); // DDIM has none
  await expect(weighting).toBeChecked();

  const request = { prompt: 'a (red:1.4) ball', seed: 7, subject: 'None: the base model alone' };
  const pictures = [await draw(page, request)];
  await weighting.uncheck();
  pictures.push(await draw(page, request));
  await sampler.selectOption('DPM++ 2M');
  pictures.push(await draw(page, request));
  await levels.selectOption('Karras');
  pictures.push(await draw(page, request));
  expect(new Set(pictures.map((pixels) => pixels.join())).size).toBe(4);

  await page.getByRole('button', { name: 'Use settings' }).last().click(); // of the first
  await expect(sampler).toHaveValue('ddim');
  await expect(weighting).toBeChecked();
  await expect(levels).toBeHidden();
  expect(await draw(page, request)).toEqual(pictures[0]);
});

test('a picture is a start: strength and a painted mask say what stays of it', async ({ page }) => {
  await openPage(page, 'create');
  const subject = 'None: the base model alone';
  const strength = page.getByRole('slider', { name: 'Denoising strength' });
  await expect(strength).toBeHidden();
  const first = await draw(page, { prompt: 'a red ball', seed: 7, subject });
  await page.getByRole('button', { name: 'Start from this image' }).first().click();
  await expect(strength).toHaveValue('0.75');
  await strength.fill('0.05');
  await expect(strength).toHaveAttribute('min', '0.05'); // at 0 nothing would be drawn

  const mask = page.getByRole('application', { name: /^Mask/ });
  await expect(mask).toHaveJSProperty('width', 64);
  await mask.focus();
  await mask.press('Space');
  await strength.fill('1');
  const other = { prompt: 'a blue car', seed: 8, subject };
  const part = await draw(page, other);
  await page.getByRole('button', { name: 'Clear mask' }).click();
  const whole = await draw(page, other);
  const corner = (pixels: number[]) =>
    cornerOf(pixels).reduce((sum, x, i) => sum + Math.abs(x - cornerOf(first)[i]!), 0);
  expect(corner(part)).toBeLessThan(corner(whole) / 3);
  expect(part).not.toEqual(first);

  await page.getByRole('button', { name: 'Remove start picture' }).click();
  await expect(strength).toBeHidden();
});

test('the painter shows what is drawn from, and paints there by pointer and by keys', async ({ page }) => {
  await openPage(page, 'create');
  const input = page.getByLabel('Start picture', { exact: true });
  const note = page.getByRole('alert');
  const buffer = Buffer.from('no picture');
  await input.setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer });
  await expect(note).toContainText('“notes.txt” is not a picture');
  await input.setInputFiles({ name: 'notes.png', mimeType: 'image/png', buffer });
  await expect(note).toContainText('“notes.png” is not a picture');
  await expect(page.getByRole('slider', { name: 'Denoising strength' })).toBeHidden();
  await note.getByRole('button', { name: 'Dismiss' }).click();

  // 108 × 72 pixels; two columns of the drawing's aspect are left away at the sides
  await input.setInputFiles(fileURLToPath(new URL('fixtures/orientation1.jpg', import.meta.url)));
  const mask = page.getByRole('application', { name: /^Mask/ });
  await expect(mask).toHaveJSProperty('width', 108);
  const box = (await mask.boundingBox())!;
  expect(box.width / box.height).toBeCloseTo(1, 1);
  await page.mouse.move(box.x + box.width / 2, box.y + 1);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height - 1, { steps: 4 });
  await page.mouse.up();
  const painted = () =>
    mask.evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      return Array.from({ length: canvas.width }, (_, x) => data[4 * (36 * canvas.width + x) + 3]! >= 128); // of row 36
    });
  const columns = async () => (await painted()).flatMap((is, x) => (is ? [x] : []));
  const [first, last] = [(await columns())[0]!, (await columns()).at(-1)!];
  expect(first).toBeGreaterThan(47); // 12 % of the 72 columns that are seen, around the middle
  expect(last).toBeLessThan(61);
  expect(last - first).toBeGreaterThan(6);
  await page.getByRole('button', { name: 'Invert mask' }).click();
  expect((await painted()).filter((is) => is).length).toBeGreaterThan(95);
  await page.getByRole('button', { name: 'Clear mask' }).click();
  expect(await columns()).toEqual([]);

  await page.getByRole('spinbutton', { name: 'Width' }).fill('128');
  await expect.poll(async () => ratioOf((await mask.boundingBox())!)).toBeCloseTo(2, 1);
  await mask.focus();
  for (let i = 0; i < 10; i++) await mask.press('Shift+ArrowRight'); // from the middle to the right edge
  const swept = await columns();
  expect([swept[0], swept.at(-1)]).toEqual([expect.closeTo(48, -1), 107]);
});

const ratioOf = ({ width, height }: { readonly width: number; readonly height: number }) => width / height;

test('pictures drawn together are kept each, and one under way is shown', async ({ page }) => {
  await openPage(page, 'create');
  await page.getByRole('textbox', { name: 'Prompt', exact: true }).fill('a red ball');
  await page.getByRole('spinbutton', { name: 'Steps' }).fill('3');
  await page.getByLabel('Seed list').fill('3, 8-9');
  await page.getByRole('spinbutton', { name: 'Batch size' }).fill('2');
  await page.getByRole('spinbutton', { name: 'Width' }).fill('72'); // no multiple of 16
  const pictures = page.getByRole('list', { name: 'Images' }).getByRole('img', { name: 'a red ball' });
  await page.getByRole('button', { name: 'Generate' }).click();
  await expect(pictures).toHaveCount(3, { timeout: 60_000 });
  const widths = () =>
    pictures.evaluateAll((images: HTMLImageElement[]) => images.map(({ naturalWidth }) => naturalWidth));
  await expect.poll(widths).toEqual([72, 72, 72]);

  await page.getByRole('spinbutton', { name: 'Steps' }).fill('200');
  await page.getByRole('button', { name: 'Generate' }).click();
  const stage = page.getByRole('region', { name: 'Drawing' });
  await expect(stage).toContainText('Pictures 1 to 2 of 3');
  const live = stage.locator('canvas');
  await expect(live).toHaveJSProperty('width', 72, { timeout: 30_000 });
  const alphas = await live.evaluate((canvas: HTMLCanvasElement) =>
    canvas
      .getContext('2d')!
      .getImageData(0, 0, canvas.width, canvas.height)
      .data.filter((_, i) => i % 4 === 3),
  );
  expect(Object.values(alphas).every((alpha) => alpha === 255)).toBe(true);
  await page.getByRole('button', { name: 'Stop' }).click();
  await expect(stage).toBeHidden();
  await expect(pictures).toHaveCount(3);
});

const cornerOf = (pixels: number[]) => pixels.filter((_, i) => i % 256 < 64 && i < 16 * 256);
