// How much less a step holds at once when it goes segment by segment: counted on the graphs, at sizes that people train.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cutSegments, differentiate } from '../autodiff/segments';
import { parseClipTextConfig, type ClipTextConfig } from '../models/clip/config';
import { loraTargets } from '../models/lora';
import { bundledJson } from '../models/testing/bundled-weights';
import { parseUnetConfig } from '../models/unet/config';
import type { Graph, Value } from '../onnx/graph';
import { peakBytes } from '../onnx/liveness';
import { tierPlans, type Tier } from './tier';
import { buildLossGraph } from './loss-graph';
import { runSegments } from './testing/run-segments';

const rank = (module: string) => (loraTargets['all-layers'](module) ? 16 : 0);

/** Peak bytes of each tier for a photo and a class picture; nothing is computed. */
async function peaks(unetConfig: unknown, side: number, contextLength: number, text?: ClipTextConfig) {
  const unet = parseUnetConfig(unetConfig);
  const peakOf = async (tier: Tier): Promise<number> => {
    const { segments, largestBytes } = tierPlans[tier];
    const { graph, packs } = buildLossGraph({
      unet,
      text,
      shape: [2, unet.in_channels, side, side],
      contextLength,
      rankOf: rank,
      largestBytes,
    });
    if (!segments) return peakBytes(differentiate(graph, packs));
    const inputs = [
      ...graph.inputs,
      ...packs.map((pack): Value => ({ ...pack, type: 'float32', shape: [] })),
    ];
    const fed = Object.fromEntries(inputs.map((value) => [value.name, value]));
    return (await runSegments(cutSegments(graph, packs, segments), packs, fed, outputsOf)).peak;
  };
  return { fast: await peakOf('fast'), balanced: await peakOf('balanced'), tight: await peakOf('tight') };
}

const outputsOf = ({ outputs }: Graph): Promise<Record<string, Value>> =>
  Promise.resolve(Object.fromEntries(outputs.map((value) => [value.name, value])));

describe('the bundled model', () => {
  const text = parseClipTextConfig(bundledJson('text_encoder/config.json'));
  const config = bundledJson('unet/config.json');
  const length = text.max_position_embeddings;

  test.each([
    ['UNet alone', undefined],
    ['UNet and text encoder', text],
  ])('%s', async (_what, trained) => {
    const { fast, balanced, tight } = await peaks(
      config,
      (config as { sample_size: number }).sample_size,
      length,
      trained,
    );
    expect(balanced).toBeLessThan(0.6 * fast);
    expect(tight).toBeLessThan(0.95 * balanced);
  });
});

const shared = join(import.meta.dirname, '../../../shared/data/configs/sd15__unet_config.json');
const isThere = existsSync(shared);

test.skipIf(!isThere)(`Stable Diffusion 1.5${isThere ? '' : ' (its config is not there)'}`, async () => {
  const config = JSON.parse(readFileSync(shared, 'utf8')) as unknown;
  const { fast, balanced, tight } = await peaks(config, 64, 77);
  expect(balanced).toBeLessThan(0.6 * fast);
  expect(tight).toBeLessThan(0.3 * balanced);
});
