// `npm test`: installs what is missing, runs every check, unit test and browser test, and closes with one line that sums them up.
// A check counts as one; a check that fails does not stop the next.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chdir } from 'node:process';
import { fileURLToPath } from 'node:url';
import { installPackages, npm } from './install.mjs';

chdir(fileURLToPath(new URL('..', import.meta.url)));
installPackages();

const reports = mkdtempSync(join(tmpdir(), 'likeness-test-'));
const rows = [];

/** Counts of a report that a test runner wrote, or undefined when it wrote none. */
function readCounts(name, count) {
  try {
    return count(JSON.parse(readFileSync(join(reports, `${name}.json`), 'utf8')));
  } catch {
    return undefined; // the runner ended before its report; its exit status tells
  }
}

/** Runs one npm script. Its tests are counted by `count`; without it, or without a report, the script counts as one. */
function check(name, { args = [], env = {}, count } = {}) {
  console.log(`\n── ${name}`);
  const started = performance.now();
  const status = npm(['run', '--silent', name, ...(args.length > 0 ? ['--', ...args] : [])], env);
  const counts = (count && readCounts(name, count)) ?? {
    passed: status === 0 ? 1 : 0,
    failed: 0,
    skipped: 0,
  };
  if (status !== 0 && counts.failed === 0) counts.failed = 1; // a file that did not load, an error outside any test
  rows.push({ name, ...counts, seconds: (performance.now() - started) / 1000 });
  return counts.failed === 0;
}

function fail(name, reason) {
  console.log(`\n── ${name}: ${reason}`);
  rows.push({ name, passed: 0, failed: 1, skipped: 0, seconds: 0 });
}

/** A test file that failed before any of its tests ran. */
function didNotLoad({ status, assertionResults }) {
  return status === 'failed' && assertionResults.length === 0;
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

check('types');
check('lint');
check('format');
check('dead');
check('unit', {
  args: ['--reporter=default', '--reporter=json', `--outputFile.json=${join(reports, 'unit.json')}`],
  count: (report) => ({
    passed: report.numPassedTests,
    failed: report.numFailedTests + report.testResults.filter(didNotLoad).length,
    skipped: report.numPendingTests + report.numTodoTests,
  }),
});
const isBuilt = check('build');
const { ensureChromium } = await import('./chromium.mjs');
const chromium = ensureChromium();
if (!isBuilt) fail('e2e', 'not run, because the build failed');
else if (chromium === undefined) fail('e2e', 'not run, because there is no Chromium (set CHROMIUM_PATH)');
else {
  check('e2e', {
    args: ['--reporter=list,json'],
    env: {
      CHROMIUM_PATH: chromium,
      E2E_PORT: await freePort(),
      PLAYWRIGHT_JSON_OUTPUT_FILE: join(reports, 'e2e.json'),
    },
    count: ({ stats }) => ({
      passed: stats.expected,
      failed: stats.unexpected + stats.flaky,
      skipped: stats.skipped,
    }),
  });
}
rmSync(reports, { recursive: true });

console.log('');
for (const { name, passed, failed, skipped, seconds } of rows) {
  const words = [`${passed} passed`, `${failed} failed`, ...(skipped > 0 ? [`${skipped} skipped`] : [])];
  console.log(`${failed > 0 ? '✗' : '✓'} ${name.padEnd(8)} ${words.join(', ')} (${seconds.toFixed(0)} s)`);
}
const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
process.exitCode = sum('failed') > 0 ? 1 : 0;
