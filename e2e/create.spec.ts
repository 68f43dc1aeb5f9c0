// Create without a subject: what the page offers of samplers, and that a person's choices reach the picture.
import { expect, test } from '@playwright/test';
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

const cornerOf = (pixels: number[]) => pixels.filter((_, i) => i % 256 < 64 && i < 16 * 256);
