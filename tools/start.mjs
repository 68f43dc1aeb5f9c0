// `npm start`: installs what is missing, builds the page and serves the build on a free port of this machine.
import { env, chdir, platform } from 'node:process';
import { fileURLToPath } from 'node:url';
import { installPackages } from './install.mjs';

chdir(fileURLToPath(new URL('..', import.meta.url)));
installPackages();

const { build, preview } = await import('vite');
await build({ logLevel: 'warn' });

const hasDisplay =
  platform === 'darwin' || platform === 'win32' || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
const server = await preview({
  preview: { port: 4173, strictPort: false, open: hasDisplay && !env.CI },
});
console.log(`\nLikeness is at ${server.resolvedUrls?.local[0]}  (Ctrl+C stops it)\n`);
