// Finds a Chromium for browser tests and tools, and installs one where there is none.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chromium } from '@playwright/test';

const systemPaths = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** The path of a Chromium: CHROMIUM_PATH, else one of the system, else Playwright's own; undefined where there is none. */
export function findChromium() {
  const chosen = process.env.CHROMIUM_PATH;
  if (chosen) return chosen;
  return [...systemPaths, chromium.executablePath()].find((path) => existsSync(path));
}

/** findChromium, and where that finds none: Playwright's download, else the distribution's package when root. */
export function ensureChromium() {
  const found = findChromium();
  if (found !== undefined) return found;
  const isRoot = process.getuid?.() === 0;
  const run = (command, args) =>
    spawnSync(command, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: 300_000,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status === 0;
  console.log('Installing Chromium …');
  const playwright = (...args) =>
    run(process.execPath, ['node_modules/@playwright/test/cli.js', ...args, 'chromium']);
  const apt = (...args) => isRoot && run('apt-get', args);
  const installed =
    (playwright('install') && (!isRoot || playwright('install-deps'))) ||
    (apt('update') && apt('install', '-y', '--no-install-recommends', 'chromium', 'fonts-liberation'));
  return installed ? findChromium() : undefined;
}
