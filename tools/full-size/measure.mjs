// One piece of work at full size in this process: `node --expose-gc measure.mjs <fast|balanced|tight|sampling> <float16|float32>
// <cpu|webgpu>`.
// Prints { estimateBytes, peakBytes, loadedBytes, seconds, finite } as JSON. run.mjs bundles it.
import { readFileSync, writeFileSync } from 'node:fs';
import { Pipeline } from '../../src/engine/pipeline';
import { configuredModel } from '../../src/engine/testing/configured-model';
import { loadAll, workOn } from '../../src/engine/testing/memory-works';
import { stableDiffusion1 } from '../../src/models/presets/stable-diffusion';
import { createNodeRuntime } from './node-runtime.mjs';

const [work, weightType, provider] = process.argv.slice(2);
const pipeline = new Pipeline(createNodeRuntime({ weightType, provider }), configuredModel(stableDiffusion1));
await loadAll(pipeline);
const loadedBytes = memory('VmRSS');
writeFileSync('/proc/self/clear_refs', '5'); // the peak from here on
const start = performance.now();
const worked = await workOn(pipeline, work);
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ ...worked, peakBytes: memory('VmHWM'), loadedBytes, seconds }));

/** A line of /proc/self/status in bytes. */
function memory(field) {
  const line = readFileSync('/proc/self/status', 'utf8').match(new RegExp(`${field}:\\s+(\\d+) kB`));
  return 1024 * Number(line[1]);
}
