// A run that lost its tab, was paused, or is open twice.
import { expect, test, type Browser, type BrowserContext, type Page } from '@playwright/test';
import {
  exportAs,
  loadSample,
  openPage,
  setSettings,
  startTraining,
  tensorsOf,
  waitForEnd,
  waitForStep,
} from './page';

const settings = [
  ['Steps', 20],
  ['Rank', 4],
  ['Class pictures', 4],
  ['Sampling of class pictures', 3],
  ['Checkpoint interval', 6],
  ['Preview interval', 0],
  ['Evaluation interval', 0],
] as const;

async function begin(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await openPage(page);
  await loadSample(page);
  await setSettings(page, settings);
  await startTraining(page);
  return page;
}

async function weightsOf(page: Page): Promise<Buffer> {
  await waitForEnd(page);
  return tensorsOf((await exportAs(page, /PEFT/)).bytes);
}

async function unbroken(browser: Browser): Promise<Buffer> {
  const context = await browser.newContext();
  const weights = await weightsOf(await begin(context));
  await context.close();
  return weights;
}

test('a killed or paused run ends in the same bytes as an unbroken one', async ({ browser }) => {
  const expected = await unbroken(browser);

  const context = await browser.newContext();
  const killed = await begin(context);
  await waitForStep(killed, 2 + Math.floor(Math.random() * 15)); // whichever step: the end is the same
  await killed.close({ runBeforeUnload: false });
  const page = await context.newPage();
  await openPage(page);
  await page.getByRole('button', { name: 'Continue' }).click();
  expect((await weightsOf(page)).equals(expected)).toBe(true);
  await context.close();

  const second = await browser.newContext();
  const paused = await begin(second);
  await waitForStep(paused, 3);
  await paused.getByRole('button', { name: 'Pause' }).click();
  await paused.getByRole('button', { name: 'Resume' }).click({ timeout: 60_000 });
  expect((await weightsOf(paused)).equals(expected)).toBe(true);
  await second.close();
});

test('a run that another tab trains is not offered, and stopping keeps what was learned', async ({
  context,
}) => {
  const page = await begin(context);
  await waitForStep(page, 1);
  const other = await context.newPage();
  await openPage(other);
  const subjects = other.getByRole('list', { name: 'Subjects' });
  await expect(subjects).toContainText('another tab');
  await expect(other.getByRole('button', { name: 'Continue' })).toHaveCount(0);
  await other.close();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(page.getByRole('list', { name: 'Subjects' })).toContainText('Stopped at step', {
    timeout: 60_000,
  });
  const { bytes } = await exportAs(page, /PEFT/);
  expect(tensorsOf(bytes).some((byte) => byte !== 0)).toBe(true);
});
