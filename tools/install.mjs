// Installs the packages of the lock file when node_modules does not hold them. Needs nothing but Node and its npm.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Runs `npm` with these arguments and shows its output; returns its exit status. */
export function npm(args, env = {}) {
  const script = process.env.npm_execpath ?? '';
  const options = { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } };
  const run = script.endsWith('npm-cli.js')
    ? spawnSync(process.execPath, [script, ...args], options)
    : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
  return run.status ?? 1;
}

function lockedPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined; // absent, or cut off by an interrupted install
  }
}

/** True when every package of the lock file that this machine needs is installed in its version. */
function isInstalled() {
  const installed = lockedPackages('node_modules/.package-lock.json');
  if (installed === undefined) return false;
  return Object.entries(lockedPackages('package-lock.json') ?? {}).every(([path, { version, optional }]) => {
    if (path === '') return true;
    return installed[path] === undefined ? optional === true : installed[path].version === version;
  });
}

/** `npm ci` where something is missing; ends the process when that fails. */
export function installPackages() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`Node 20.19 or newer is needed; this is ${process.versions.node}.`);
    process.exit(1);
  }
  if (isInstalled()) return;
  console.log('Installing packages …');
  const status = npm(['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=warn']);
  if (status !== 0) {
    console.error('npm ci failed; its message is above.');
    process.exit(status);
  }
}
