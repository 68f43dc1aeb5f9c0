// `npm run bench`: how fast the production build is on WebAssembly with two threads, in headless Chromium. Prints a table; no test.
// Options: --torch-onnx FILE (or TORCH_ONNX) compares with an export of tools/oracle/onnx_unet.py; --rounds N; --only network|page|load.
import { existsSync } from 'node:fs';
import { chdir } from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import { findChromium } from '../chromium.mjs';
import { measureLoad } from './load.mjs';
import { measureNetwork } from './network.mjs';
import { measurePage } from './page.mjs';
import { printTable } from './table.mjs';

const { values } = parseArgs({
  options: {
    'torch-onnx': { type: 'string', default: process.env.TORCH_ONNX ?? '' },
    rounds: { type: 'string', default: '25' },
    only: { type: 'string' },
  },
});
const torchOnnx = values['torch-onnx'] || undefined;
if (torchOnnx && !existsSync(torchOnnx)) throw new Error(`${torchOnnx} is not there`);

chdir(fileURLToPath(new URL('../..', import.meta.url)));
const executablePath = findChromium();
const launch = (...args) =>
  chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: ['--no-sandbox', ...args],
  });
const browser = await launch();
try {
  const rows = [];
  const isAsked = (part) => values.only === undefined || values.only === part;
  if (isAsked('network'))
    rows.push(...(await measureNetwork(browser, { torchOnnx, rounds: Number(values.rounds) })));
  if (isAsked('page')) rows.push(...(await measurePage(browser)));
  if (isAsked('load')) rows.push(await measureLoad(launch));
  printTable(rows);
  if (!torchOnnx && isAsked('network'))
    console.log(
      'Without --torch-onnx FILE (made by tools/oracle/onnx_unet.py) the row “UNet forward / torch.onnx” is left out.',
    );
} finally {
  await browser.close();
}
