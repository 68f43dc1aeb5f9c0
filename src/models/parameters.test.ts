// The weights of whole models by their configs, against the state dicts of diffusers and transformers (names and shapes, by a hash:
// tools/oracle/parameter_lists.py). The presets are tested everywhere, the published configs where they are there.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isAppError } from '../base/errors';
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
    expect(own.vae.config).toEqual(parseAutoencoderKlConfig(read(`${name}__vae_config.json`)));
    const scheduler = read(`${name}__scheduler_scheduler_config.json`) as object;
    expect({ prediction_type: 'epsilon', ...scheduler }).toMatchObject(preset.scheduler);
    const tokens = preset.specialTokens as { pad_token: unknown };
    const published = read(`${name}__tokenizer_special_tokens_map.json`) as { pad_token: unknown };
    const contentOf = (token: unknown) =>
      typeof token === 'string' ? token : (token as { content: string }).content;
    expect(contentOf(tokens.pad_token)).toBe(contentOf(published.pad_token));
  });
});

/** Every field that changes what a model of this family computes, with a value that is not computed here. */
describe('a config of another kind of model is refused, by the field', () => {
  const reasonOf = (parse: (config: unknown) => unknown, config: object): unknown => {
    try {
      return parse(config);
    } catch (error) {
      return isAppError(error) && error.code === 'unsupported-model' ? error.details['reason'] : error;
    }
  };

  test.each<[string, unknown]>([
    ['sample_size', null],
    ['block_out_channels', []],
    ['down_block_types', ['AttnDownBlock2D', 'DownBlock2D', 'DownBlock2D', 'DownBlock2D']],
    ['down_block_types', ['DownBlock2D']],
    ['up_block_types', ['UpBlock2D', 'UpBlock2D', 'UpBlock2D', 'AttnUpBlock2D']],
    ['up_block_types', ['UpBlock2D', 'UpBlock2D', 'UpBlock2D', 'UpBlock2D', 'UpBlock2D']],
    ['mid_block_type', 'UNetMidBlock2DSimpleCrossAttn'],
    ['layers_per_block', [2, 2]],
    ['attention_head_dim', [5, 10, 20]],
    ['attention_head_dim', null],
    ['num_attention_heads', 8],
    ['cross_attention_dim', [768, 768, 768, 768]],
    ['transformer_layers_per_block', [1, 2]],
    ['transformer_layers_per_block', [1, 1, 1, [1, 2]]],
    ['reverse_transformer_layers_per_block', [[1, 1, 1]]],
    ['norm_num_groups', null],
    ['norm_eps', 0],
    ['downsample_padding', 2],
    ['act_fn', 'gelu'],
    ['conv_in_kernel', 5],
    ['conv_out_kernel', 5],
    ['center_input_sample', true],
    ['dual_cross_attention', true],
    ['only_cross_attention', true],
    ['attention_type', 'gated'],
    ['class_embed_type', 'timestep'],
    ['class_embeddings_concat', true],
    ['num_class_embeds', 1000],
    ['cross_attention_norm', 'layer_norm'],
    ['addition_embed_type', 'text_time'],
    ['encoder_hid_dim', 1024],
    ['encoder_hid_dim_type', 'text_proj'],
    ['resnet_skip_time_act', true],
    ['resnet_time_scale_shift', 'scale_shift'],
    ['resnet_out_scale_factor', 1.4],
    ['mid_block_scale_factor', 1.4],
    ['time_embedding_act_fn', 'gelu'],
    ['timestep_post_act', 'silu'],
    ['time_embedding_type', 'fourier'],
    ['time_embedding_dim', 512],
  ])('UNet: %s %j', (field, value) => {
    const reason = reasonOf(parseUnetConfig, { ...stableDiffusion1.unet, [field]: value });
    expect(reason).toMatch(new RegExp(`^UNet: ${field}[. ]`));
  });

  test.each<[string, unknown]>([
    ['in_channels', 4],
    ['out_channels', 4],
    ['down_block_types', ['AttnDownEncoderBlock2D']],
    ['down_block_types', ['DownEncoderBlock2D']],
    ['up_block_types', undefined], // diffusers' default is one
    ['act_fn', 'mish'],
    ['latents_mean', [0, 0, 0, 0]],
    ['latents_std', [1, 1, 1, 1]],
    ['use_quant_conv', false],
    ['use_post_quant_conv', false],
    ['mid_block_add_attention', false],
  ])('AutoencoderKL: %s %j', (field, value) => {
    const reason = reasonOf(parseAutoencoderKlConfig, { ...stableDiffusion1.vae, [field]: value });
    expect(reason).toMatch(new RegExp(`^autoencoder: ${field}[. ]`));
  });

  test.each<[string, unknown]>([
    ['in_channels', 4],
    ['act_fn', 'gelu'],
    ['upsample_fn', 'bilinear'],
    ['upsampling_scaling_factor', 4],
    ['decoder_block_out_channels', [64, 64]],
    ['num_encoder_blocks', [1, 3, 3]],
  ])('AutoencoderTiny: %s %j', (field, value) => {
    const levels = [64, 64, 64, 64];
    const config = {
      encoder_block_out_channels: levels,
      decoder_block_out_channels: levels,
      num_encoder_blocks: [1, 3, 3, 3],
      num_decoder_blocks: [3, 3, 3, 1],
    };
    expect(reasonOf(parseAutoencoderTinyConfig, config)).toMatchObject(config);
    const reason = reasonOf(parseAutoencoderTinyConfig, { ...config, [field]: value });
    expect(reason).toMatch(new RegExp(`^autoencoder: ${field}[. ]`));
  });

  test.each<[string, unknown]>([
    ['model_type', 'roberta_series'],
    ['hidden_act', 'gelu_new'],
    ['use_attention_mask', true],
  ])('text encoder: %s %j', (field, value) => {
    const reason = reasonOf(parseClipTextConfig, { ...stableDiffusion1.textEncoder, [field]: value });
    expect(reason).toMatch(new RegExp(`^text encoder: ${field}[. ]`));
  });
});

test('what makes no difference, or only beside a refused field, is let through', () => {
  const unet = {
    ...stableDiffusion1.unet,
    ...{ dropout: 0.1, mid_block_only_cross_attention: true },
    ...{ addition_embed_type_num_heads: 32, projection_class_embeddings_input_dim: 8 },
  };
  expect(parseUnetConfig(unet)).toEqual(parseUnetConfig(stableDiffusion1.unet));
  const vae = { ...stableDiffusion1.vae, force_upcast: false, sample_size: 256 };
  expect(parseAutoencoderKlConfig(vae)).toEqual(parseAutoencoderKlConfig(stableDiffusion1.vae));
  const text = { ...stableDiffusion1.textEncoder, eos_token_id: 2, projection_dim: 512 };
  expect(parseClipTextConfig(text)).toEqual(parseClipTextConfig(stableDiffusion1.textEncoder));
});
