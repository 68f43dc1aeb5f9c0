// Takes the README's picture of the page: the sample photos after a short run, on the production build. Run: node tools/readme-picture/take.mjs
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';
import { findChromium } from '../chromium.mjs';
import { serveBuild } from '../bench/serve.mjs';

const previews = 4; // one before the first step, one every 25
const patience = { timeout: 600_000 };
const executablePath = findChromium();
const server = await serveBuild({ root: fileURLToPath(new URL('../..', import.meta.url)) });
const browser = await chromium.launch({ ...(executablePath && { executablePath }), args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
  await page.goto(`${server.url}#/train`);
  await page.getByRole('button', { name: 'Try with sample photos' }).click();
  await page.getByRole('list', { name: 'Photos' }).getByRole('img').first().waitFor(patience);
  await page.getByRole('radio', { name: 'Quick', disabled: false }).waitFor(patience);
  await page.getByRole('radio', { name: 'Quick' }).check({ force: true });
  await page.getByRole('button', { name: 'Start training' }).click();
  await page
    .getByRole('list', { name: 'Previews' })
    .getByRole('img')
    .nth(previews - 1)
    .waitFor(patience);
  await page.screenshot({ path: fileURLToPath(new URL('page.png', import.meta.url)) });
} finally {
  await browser.close();
  await server.close();
}
