// Our graphs against PyTorch at full width: real structures with random weights, on onnxruntime-node's CPU in float32. Each case is made by
// tools/oracle/full_width.py (tools/oracle/README.md says how PYTHON is set up, and has the results), compared, and removed again: up to
// 5 GB of disk under TMPDIR and 12 GB of memory, one to three minutes each on two cores.
// `node tools/full-size/parity.mjs PYTHON [--data FOLDER] [--side LATENTS] [part of a case's name…]`
// FOLDER has published configs as configs/<model>__unet.json (and …__config.json of AutoencoderTiny) and CLIP's own vocabulary in
// clip-tokenizer/; without it the presets alone are compared, and no pictures. LATENTS is the side of the latents that are trained; from
// 48 on every tier computes attention in pieces.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runnerImport } from 'vite';
import { withBundle } from './bundle.mjs';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { data: { type: 'string' }, side: { type: 'string', default: '48' } },
});
const [python, ...wanted] = positionals;
if (!python) throw new Error('usage: parity.mjs PYTHON [--data FOLDER] [--side LATENTS] [CASE…]');

const root = fileURLToPath(new URL('../..', import.meta.url));
const oracle = join(root, 'tools/oracle/full_width.py');
const { module: presets } = await runnerImport(join(root, 'src/models/presets/stable-diffusion.ts'));
const cases = [
  ...presetCases(presets),
  ...(values.data ? dataCases(resolve(values.data), presets) : []),
].filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));

let failed = 0;
let versions = {};
console.log('| model | what | error | bound |\n|---|---|---|---|');
await withBundle('compare.mjs', async (compare) => {
  for (const one of cases) await compareOne(one, compare);
});
const pairs = Object.entries(versions).map((pair) => pair.join(' '));
console.log(`\n${failed} over their bound. Node ${process.versions.node}, ${pairs.join(', ')}`);
process.exitCode = failed > 0 ? 1 : 0;

async function compareOne({ name, kind, config }, compare) {
  const folder = await mkdtemp(join(tmpdir(), 'full-width-'));
  try {
    await writeFile(join(folder, 'config.json'), JSON.stringify(config));
    run(python, [oracle, kind, folder]);
    const compared = JSON.parse(run(process.execPath, ['--expose-gc', compare, kind, folder]));
    versions = compared.versions;
    for (const { what, error, bound } of compared.results) {
      const isWrong = !(error <= bound); // NaN is
      if (isWrong) failed++;
      console.log(`| ${name} | ${what} | ${error.toExponential(1)} | ${bound} |${isWrong ? ' WRONG' : ''}`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

function run(command, args) {
  const { stdout, stderr, status, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw error ?? new Error(`${args.join(' ')}\n${stderr}`);
  return stdout;
}

function presetCases({ stableDiffusion1: sd1, stableDiffusion2Base: base, stableDiffusion2: sd2 }) {
  return [
    { name: 'text encoder of SD 1', kind: 'text', config: sd1.textEncoder },
    { name: 'text encoder of SD 2', kind: 'text', config: sd2.textEncoder },
    { name: 'AutoencoderKL', kind: 'vae', config: sd1.vae },
    { name: 'UNet of SD 1', kind: 'unet', config: sd1.unet },
    { name: 'UNet of SD 2 base', kind: 'unet', config: base.unet },
    { name: 'UNet of SD 2', kind: 'unet', config: sd2.unet },
    { name: 'gradient of SD 1', kind: 'gradient', config: { unet: sd1.unet, side: Number(values.side) } },
  ];
}

function dataCases(folder, { stableDiffusion1: sd1 }) {
  const read = (file) => JSON.parse(readFileSync(join(folder, 'configs', file), 'utf8'));
  const published = readdirSync(join(folder, 'configs')).flatMap((file) => {
    const [, model, part] = /^(.*)__(unet|config)\.json$/.exec(file) ?? [];
    if (part === 'unet') return [{ name: `UNet of ${model}`, kind: 'unet', config: read(file) }];
    return part && read(file)._class_name === 'AutoencoderTiny'
      ? [{ name: `AutoencoderTiny ${model}`, kind: 'tiny', config: read(file) }]
      : [];
  });
  const tokenizer = join(folder, 'clip-tokenizer');
  const { unet, textEncoder, vae, scheduler } = sd1;
  const pictures = { unet, text_encoder: textEncoder, vae, scheduler, tokenizer, side: 256 };
  return [
    ...published,
    ...(existsSync(tokenizer) ? [{ name: 'pictures of SD 1', kind: 'pictures', config: pictures }] : []),
  ];
}
