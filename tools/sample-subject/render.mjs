// Makes the bundled sample photos: `node tools/sample-subject/render.mjs [numbers] [--draft]`. Takes some ten
// minutes: WebGL runs in software, so that any machine gives the same. The photos are our own work, dedicated as CC0.
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';
import { findChromium } from '../chromium.mjs';
import { shots } from './shots.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const target = join(root, 'public/samples/toy');
const mediaTypes = { '.html': 'text/html', '.mjs': 'text/javascript', '.js': 'text/javascript' };
const isDraft = process.argv.includes('--draft');
const wanted = process.argv.slice(2).filter((argument) => /^\d+$/.test(argument));
const executablePath = findChromium();

const browser = await chromium.launch({
  ...(executablePath === undefined ? {} : { executablePath }),
  args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
});
try {
  const page = await browser.newPage();
  page.on('console', (message) => message.type() === 'error' && process.stderr.write(`${message.text()}\n`));
  page.on('pageerror', (error) => process.stderr.write(`${String(error)}\n`));
  await page.route('http://studio.local/**', async (route) => {
    const path = join(root, new URL(route.request().url()).pathname);
    if (!existsSync(path)) return route.fulfill({ status: 404 });
    return route.fulfill({
      contentType: mediaTypes[extname(path)] ?? 'text/plain',
      body: await readFile(path),
    });
  });
  await page.goto('http://studio.local/tools/sample-subject/studio.html');
  await page.waitForFunction('window.isReady === true');
  await mkdir(target, { recursive: true });
  for (const [index, shot] of shots.entries()) {
    if (wanted.length > 0 && !wanted.includes(String(index + 1))) continue;
    const [size, exposures] = isDraft ? [384, 12] : [768, 64];
    const url = await page.evaluate(
      ([shot, size, exposures]) => window.takePhoto(shot, size, exposures, 0.94),
      [shot, size, exposures],
    );
    const bytes = Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
    await writeFile(join(target, `${index + 1}.webp`), bytes);
    process.stdout.write(`${index + 1}.webp ${shot.backdrop} ${bytes.length} bytes\n`);
  }
} finally {
  await browser.close();
}

const sample = {
  name: 'Pomlo',
  subjectWord: 'sks',
  className: 'toy',
  licence: 'CC0-1.0',
  source: 'Modelled and rendered by tools/sample-subject/render.mjs',
  photos: shots.map((shot, index) => ({ file: `${index + 1}.webp`, caption: shot.caption })),
};
await writeFile(join(target, 'sample.json'), `${JSON.stringify(sample, null, 2)}\n`);
