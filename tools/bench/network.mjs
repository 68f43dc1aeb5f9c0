// Times the network's graphs in a page of their own: forward, torch.onnx's export, and training steps (network/worker.mjs).
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serveBuild } from './serve.mjs';
import { lowest, median } from './statistics.mjs';

const threads = 2;
const steps = [
  { name: 'attention fast', targets: 'attention', rank: 8, tier: 'fast', goal: 3 },
  { name: 'all-layers fast', targets: 'all-layers', rank: 16, tier: 'fast', goal: 3 },
  { name: 'attention balanced', targets: 'attention', rank: 8, tier: 'balanced' },
  { name: 'all-layers balanced', targets: 'all-layers', rank: 16, tier: 'balanced' },
];

/** Rows of the table. `torchOnnx` is the path of the export, made by tools/oracle/onnx_unet.py, or undefined. */
export async function measureNetwork(browser, { torchOnnx, rounds }) {
  const headers = {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
  };
  const server = await serveBuild({
    configFile: false,
    root: fileURLToPath(new URL('network', import.meta.url)),
    publicDir: fileURLToPath(new URL('../../public', import.meta.url)),
    worker: { format: 'es' },
    build: { target: 'es2023' },
    preview: { headers, host: '127.0.0.1' },
  });
  try {
    if (torchOnnx) await copyFile(torchOnnx, join(server.folder, 'torch.onnx'));
    const page = await browser.newPage();
    await page.goto(server.url);
    const { times } = await page.evaluate((order) => window.measureNetwork(order), {
      modelUrl: new URL('models/bundled/', server.url).href,
      torchUrl: torchOnnx && new URL('torch.onnx', server.url).href,
      threads,
      rounds,
      adapters: steps,
    });
    await page.close();
    return rowsOf(times);
  } finally {
    await server.close();
  }
}

function rowsOf({ forward, torch, ...trained }) {
  const milliseconds = (values) => `${median(values).toFixed(1)} (${lowest(values).toFixed(1)}) ms`;
  const ratio = (values, base) => median(values) / median(base);
  const compared = (what, values, base, goal) => ({
    what,
    measured: `${milliseconds(values)} / ${milliseconds(base)}`,
    result: `${ratio(values, base).toFixed(2)} (${(lowest(values) / lowest(base)).toFixed(2)})`,
    ...(goal === undefined ? {} : { goal: `≤ ${goal.toFixed(1)}`, isMet: ratio(values, base) <= goal }),
  });
  return [
    ...(torch ? [compared('UNet forward / torch.onnx', forward, torch, 1)] : []),
    ...steps.map(({ name, targets, rank, tier, goal }) =>
      compared(`step ${targets}, rank ${rank}, ${tier} / forward`, trained[name], forward, goal),
    ),
  ];
}
