// The weights of whole models by their configs, against the state dicts of diffusers and transformers (names and shapes, by a hash:
// tools/oracle/parameter_lists.py). The presets are tested everywhere, the published configs where they are there.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { verify } from '../onnx/verify';
import { parseClipTextConfig } from './clip/config';
import { listParameters, type ModelConfigs } from './parameters';
import type { Preset } from './presets/preset';
import { stableDiffusion1, stableDiffusion2, stableDiffusion2Base } from './presets/stable-diffusion';
import {
  decodeGraph,
  denoiseGraph,
  encodeGraph,
  textGraph,
  type AutoencoderConfig,
} from './stable-diffusion';
import { parseUnetConfig } from './unet/config';
import { parseAutoencoderKlConfig } from './vae/kl';
import { parseAutoencoderTinyConfig } from './vae/tiny';
import fixture from './__fixtures__/parameter-lists.json';

const lists: Readonly<Record<string, { readonly count: number; readonly sha256: string }>> = fixture.lists;
const parseKl = (config: unknown): AutoencoderConfig => ({
  kind: 'AutoencoderKL',
  config: parseAutoencoderKlConfig(config),
});
const configsOf = ({ unet, textEncoder, vae }: Preset): ModelConfigs => ({
  unet: parseUnetConfig(unet),
  text: parseClipTextConfig(textEncoder),
  vae: parseKl(vae),
});

/** What the oracle says of a component's weights, for our own list of them. */
function listOf(configs: ModelConfigs, component: 'unet' | 'text_encoder' | 'vae') {
  const lines = listParameters(configs)
    .parameters.filter(({ name }) => name.startsWith(`${component}.`))
    .map(({ name, shape }) => `${name.slice(component.length + 1)} [${shape.join(', ')}]`);
  const text = [...new Set(lines)].sort().join('\n');
  return { count: new Set(lines).size, sha256: createHash('sha256').update(text).digest('hex') };
}

describe('the presets have the weights of', () => {
  test.each([
    ['sd15', stableDiffusion1],
    ['sd21base', stableDiffusion2Base],
    ['sd21', stableDiffusion2],
  ])('%s', (name, preset) => {
    const configs = configsOf(preset);
    expect(listOf(configs, 'unet')).toEqual(lists[`${name}__unet_config.json`]);
    expect(listOf(configs, 'text_encoder')).toEqual(lists[`${name}__text_encoder_config.json`]);
    expect(listOf(configs, 'vae')).toEqual(lists[`${name}__vae_config.json`]);
  });
});

const folder = join(import.meta.dirname, '../../../shared/data/configs');
const isThere = existsSync(folder);
const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'));

describe.skipIf(!isThere)(`published configs${isThere ? '' : ' (they are not there)'}`, () => {
  const base = configsOf(stableDiffusion1);

  test.each(Object.keys(lists))('%s: parsed, built whole, with the weights of the reference', (name) => {
    const config = read(name);
    const [n, side] = [2, 8];
    if (name.includes('unet')) {
      const unet = parseUnetConfig(config);
      const shape = [n, unet.in_channels, side, side] as const;
      verify(denoiseGraph(unet, { shape, contextLength: 77, guided: true, rescaled: true }).graph);
      expect(listOf({ ...base, unet }, 'unet')).toEqual(lists[name]);
    } else if (name.includes('text_encoder')) {
      const text = parseClipTextConfig(config);
      verify(textGraph(text, n).graph);
      expect(listOf({ ...base, text }, 'text_encoder')).toEqual(lists[name]);
    } else {
      const isTiny = (config as { _class_name: string })._class_name === 'AutoencoderTiny';
      const vae = isTiny
        ? ({ kind: 'AutoencoderTiny', config: parseAutoencoderTinyConfig(config) } as const)
        : parseKl(config);
      verify(decodeGraph(vae, [n, 4, side, side]));
      verify(encodeGraph(vae, [n, 3, 8 * side, 8 * side]));
      expect(listOf({ ...base, vae }, 'vae')).toEqual(lists[name]);
    }
  });

  test.each([
    ['sd15', stableDiffusion1],
    ['sd21base', stableDiffusion2Base],
    ['sd21', stableDiffusion2],
  ])('the preset says what %s says', (name, preset) => {
    const own = configsOf(preset);
    expect(own.unet).toEqual(parseUnetConfig(read(`${name}__unet_config.json`)));
    expect(own.text).toEqual(parseClipTextConfig(read(`${name}__text_encoder_config.json`)));
    expect(own.vae.config).toEqual({
      ...parseAutoencoderKlConfig(read(`${name}__vae_config.json`)),
      down_block_types: undefined, // said in the file, and the only ones that there are
      up_block_types: undefined,
    });
    const scheduler = read(`${name}__scheduler_scheduler_config.json`) as object;
    expect({ prediction_type: 'epsilon', ...scheduler }).toMatchObject(preset.scheduler);
    const tokens = preset.specialTokens as { pad_token: unknown };
    const published = read(`${name}__tokenizer_special_tokens_map.json`) as { pad_token: unknown };
    const contentOf = (token: unknown) =>
      typeof token === 'string' ? token : (token as { content: string }).content;
    expect(contentOf(tokens.pad_token)).toBe(contentOf(published.pad_token));
  });
});

describe('a config of another kind of model is refused', () => {
  test.each<[string, object]>([
    ['classes as an input', { num_class_embeds: 1000 }],
    ['boxes as an input', { attention_type: 'gated' }],
    ['another activation of the time embedding', { time_embedding_act_fn: 'gelu' }],
    ['text and sizes as inputs (Stable Diffusion XL)', { addition_embed_type: 'text_time' }],
  ])('UNet: %s', (_, change) => {
    expect(() => parseUnetConfig({ ...stableDiffusion1.unet, ...change })).toThrow(/unsupported-model/);
  });

  test.each<[string, object]>([
    ['no quantisation convolutions (Stable Diffusion 3, Flux)', { use_quant_conv: false }],
    ['attention in its blocks', { down_block_types: ['AttnDownEncoderBlock2D'] }],
    ['no attention in the middle', { mid_block_add_attention: false }],
  ])('autoencoder: %s', (_, change) => {
    expect(() => parseAutoencoderKlConfig({ ...stableDiffusion1.vae, ...change })).toThrow(
      /unsupported-model/,
    );
  });

  test('text encoder: not CLIP', () => {
    const config = { ...stableDiffusion1.textEncoder, model_type: 'roberta_series' };
    expect(() => parseClipTextConfig(config)).toThrow(/unsupported-model/);
  });
});
