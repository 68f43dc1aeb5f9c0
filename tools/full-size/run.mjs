// What Stable Diffusion 1.5 takes at full size, measured: one training step at 512 × 512 in each tier and one sampling step with its
// picture, each in a process of its own on onnxruntime-node. Linux; a minute or two each, up to 12 GB. `node tools/full-size/run.mjs
// [--webgpu] [fast balanced tight sampling]`; with --webgpu it runs on the GPU, which weights are sent to in every call: the peak is
// then the process's alone, and what is shown is that all kernels are there and all numbers finite.
import { spawnSync } from 'node:child_process';
import { withBundle } from './bundle.mjs';

const goals = { tight: 4e9, balanced: 6e9, fast: 12e9, sampling: 3.5e9 };
const provider = process.argv.includes('--webgpu') ? 'webgpu' : 'cpu';
const chosen = process.argv.slice(2).filter((argument) => argument !== '--webgpu');
const works = Object.keys(goals).filter((work) => chosen.length === 0 || chosen.includes(work));

await withBundle('measure.mjs', (measure) => {
  for (const work of works) {
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ['--expose-gc', measure, work, 'float16', provider],
      // freed memory goes back at once: every larger block is a mapping of its own
      { encoding: 'utf8', env: { ...process.env, MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_ARENA_MAX: '1' } },
    );
    if (status !== 0) throw new Error(`${work}: ${stderr}`);
    console.log(lineOf(work, JSON.parse(stdout)));
  }
});

function lineOf(work, { peakBytes, estimateBytes, loadedBytes, seconds, finite }) {
  const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(2)} GB`;
  const difference = ((estimateBytes / peakBytes - 1) * 100).toFixed(1);
  return [
    `${work}: peak ${gigabytes(peakBytes)} (goal ${gigabytes(goals[work])})`,
    `estimate ${gigabytes(estimateBytes)} (${difference} %)`,
    `${gigabytes(loadedBytes)} before the work`,
    `${seconds.toFixed(0)} s`,
    finite ? 'all finite' : 'NOT FINITE',
  ].join(', ');
}
