// How the engine is to be: weights in fewer bits, compared, and precision. Choices outlive a reload.
import { expect, test } from '@playwright/test';
import { goTo, openPage } from './page';

test('8-bit weights are compared with the whole ones, kept, and taken back', async ({ page }) => {
  await openPage(page, 'models');
  const weights = page.getByRole('radiogroup', { name: 'Weights' });
  const choice = (name: string) => weights.getByRole('radio', { name });
  await expect(choice('As they are')).toBeChecked();
  await page.getByRole('checkbox', { name: 'Compare pictures' }).check();
  await choice('8 bit').check({ force: true });
  const comparison = page.getByRole('status', { name: 'Comparison' });
  await expect(comparison).toContainText('levels apart', { timeout: 60_000 });
  const difference = Number(/average ([\d.]+) of/.exec(await comparison.innerText())![1]);
  expect(difference).toBeGreaterThan(0.05);
  expect(difference).toBeLessThan(2);
  await expect(comparison.getByRole('img')).toHaveCount(2);

  await openPage(page, 'models');
  await expect(choice('8 bit')).toBeChecked();
  await choice('As they are').check({ force: true });
  await expect(page.getByRole('status', { name: 'Engine' })).toContainText('Likeness 64', {
    timeout: 60_000,
  });
});

test('precision is chosen beside compute, and the engine tells what it draws with', async ({ page }) => {
  await openPage(page, 'models');
  await goTo(page, 'Settings');
  const precision = page.getByRole('radiogroup', { name: 'Precision' });
  await precision.getByRole('radio', { name: 'Full' }).check({ force: true });
  const engine = page.getByRole('region', { name: 'Engine' });
  await expect(engine).toContainText('32-bit numbers', { timeout: 60_000 });
  await openPage(page, 'settings');
  await expect(precision.getByRole('radio', { name: 'Full' })).toBeChecked();
});
