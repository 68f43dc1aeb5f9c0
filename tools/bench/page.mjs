// Measures the page itself, by the accessible names that it promises: how soon it draws, how smooth it stays, how much it loads.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { serveBuild } from './serve.mjs';
import { lowest, median } from './statistics.mjs';

const visits = 3;
const trainedSteps = 30;
const longTaskMs = 100;
const patience = { timeout: 300_000 };

/** Rows of the table, on a production build of the page. */
export async function measurePage(browser) {
  const server = await serveBuild({ root: fileURLToPath(new URL('../..', import.meta.url)) });
  try {
    return [
      await loadSize(browser, server),
      await firstImage(browser, server),
      await longTasks(browser, server),
    ];
  } finally {
    await server.close();
  }
}

/** Does `visit` on a page that has nothing in its cache. */
async function asNewcomer(browser, visit) {
  const context = await browser.newContext();
  try {
    return await visit(await context.newPage());
  } finally {
    await context.close();
  }
}

const runtime = /\/ort[.-]/;

/** Scripts and wasm that were asked for until the engine runs and photos can be dropped, compressed as a server would (vite preview does not). */
const loadSize = (browser, { url, folder }) =>
  asNewcomer(browser, async (page) => {
    const paths = new Set();
    page.on('request', (request) => paths.add(new URL(request.url()).pathname));
    const engine = page.waitForRequest(runtime); // the engine's own scripts are a part of it, whichever is there first
    await page.goto(`${url}#/train`);
    await page.getByLabel('Subject photos').waitFor({ state: 'attached' });
    await engine;
    const code = [...paths].filter((path) => /\.(js|mjs|wasm)$/.test(path) && !runtime.test(path));
    const sizes = await Promise.all(
      code.map(async (path) => gzipSync(await readFile(join(folder, path))).length),
    );
    const kilobytes = sizes.reduce((sum, size) => sum + size, 0) / 1000;
    return {
      what: 'JS + wasm until the page is usable, gzip, without ORT',
      result: `${kilobytes.toFixed(1)} kB`,
      goal: '< 250 kB',
      isMet: kilobytes < 250,
      measured: `${code.length} files`,
    };
  });

/** From the start of the navigation to a picture of the bundled model on the screen, with nothing cached. */
async function firstImage(browser, { url }) {
  const seconds = [];
  for (let i = 0; i < visits; i++)
    await asNewcomer(browser, async (page) => {
      const start = performance.now();
      await page.goto(`${url}#/create`);
      await page.getByRole('textbox', { name: 'Prompt', exact: true }).fill('a photo of a dog');
      await page.getByRole('button', { name: 'Generate' }).click();
      const picture = page.getByRole('list', { name: 'Images' }).getByRole('img').first();
      await picture.waitFor(patience);
      await picture.evaluate((image) => image.decode?.());
      seconds.push((performance.now() - start) / 1000);
    });
  return {
    what: 'page load to first image',
    result: `${median(seconds).toFixed(1)} (${lowest(seconds).toFixed(1)}) s`,
    measured: `${visits} visits`,
  };
}

/** Long tasks of the page's own thread from "Start training" to the end of the run, class pictures and previews included. */
const longTasks = (browser, { url }) =>
  asNewcomer(browser, async (page) => {
    await page.goto(`${url}#/train`);
    await page.getByRole('button', { name: 'Try with sample photos' }).click();
    await page.getByRole('list', { name: 'Photos' }).getByRole('img').first().waitFor(patience);
    await page.getByRole('spinbutton', { name: 'Steps', exact: true }).fill(String(trainedSteps));
    await page.evaluate(() => {
      window.longTasks = [];
      const observer = new PerformanceObserver((list) =>
        window.longTasks.push(...list.getEntries().map(({ duration }) => duration)),
      );
      observer.observe({ type: 'longtask' });
    });
    await page.getByRole('button', { name: 'Start training' }).click();
    const stop = page.getByRole('button', { name: 'Stop', exact: true });
    await stop.waitFor(patience);
    await stop.waitFor({ state: 'hidden', ...patience });
    const durations = await page.evaluate(() => window.longTasks);
    const long = durations.filter((duration) => duration > longTaskMs);
    return {
      what: `main-thread tasks over ${longTaskMs} ms in a run of ${trainedSteps} steps`,
      result: String(long.length),
      goal: 'none',
      isMet: long.length === 0,
      measured: `longest ${Math.max(0, ...durations).toFixed(0)} ms`,
    };
  });
