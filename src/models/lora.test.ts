// Which layers each choice adapts, against peft's lists and kohya's.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseClipTextConfig } from './clip/config';
import { loraTargets } from './lora';
import { denoiseGraph, textGraph } from './stable-diffusion';
import { readFixture, type LoraNote } from './testing/fixture';
import { parseUnetConfig } from './unet/config';

type Target = keyof typeof loraTargets;

const packedModules = (packs: ReturnType<typeof textGraph>['packs']): string[] =>
  packs
    .flatMap(({ members }) => members.map(({ name }) => name))
    .filter((name) => name.endsWith('.lora_A.weight'))
    .map((name) => name.replace('.lora_A.weight', ''))
    .sort();

const rankOf = (target: Target) => (module: string) => (loraTargets[target](module) ? 2 : 0);

const textModules = (config: unknown, target: Target): string[] =>
  packedModules(textGraph(parseClipTextConfig(config), 1, { rankOf: rankOf(target) }).packs);

function unetModules(config: unknown, target: Target): string[] {
  const parsed = parseUnetConfig(config);
  const options = { shape: [1, parsed.in_channels, 8, 8], contextLength: 7 } as const;
  const graph = { ...options, guided: false, rescaled: false, rankOf: rankOf(target) };
  return packedModules(denoiseGraph(parsed, graph).packs);
}

describe('on small models, as peft with diffusers’ names', () => {
  type Joint = { readonly lora: LoraNote; readonly config: { unet: unknown; text_encoder: unknown } };
  const joint = readFixture<Joint>(import.meta.dirname, 'gradients-joint');
  const sd2 = readFixture<{ lora: LoraNote; config: unknown }>(import.meta.dirname, 'gradients-sd2');
  const names = ({ modules }: LoraNote) => modules.map(({ module }) => module);

  test('attention: the targets of diffusers’ training script', () => {
    const { unet, text_encoder } = joint.config;
    const modules = [...textModules(text_encoder, 'attention'), ...unetModules(unet, 'attention')];
    expect(modules).toEqual(names(joint.lora));
  });

  test('attention and projections', () => {
    expect(unetModules(sd2.config, 'attention-and-projections')).toEqual(names(sd2.lora));
  });

  test('all layers: the convolutions of the ResNets and samplers besides', () => {
    const { unet } = joint.config;
    const smaller = new Set(unetModules(unet, 'attention-and-projections'));
    const more = unetModules(unet, 'all-layers').filter((module) => !smaller.has(module));
    const resnets = [
      ['down_blocks.0.resnets.0', false],
      ['down_blocks.1.resnets.0', true],
      ['mid_block.resnets.0', false],
      ['mid_block.resnets.1', false],
      ['up_blocks.0.resnets.0', true],
      ['up_blocks.0.resnets.1', true],
      ['up_blocks.1.resnets.0', true],
      ['up_blocks.1.resnets.1', true],
    ] as const;
    const expected = resnets.flatMap(([path, widthChanges]) =>
      ['conv1', 'conv2', ...(widthChanges ? ['conv_shortcut'] : [])].map((conv) => `unet.${path}.${conv}`),
    );
    const samplers = ['unet.down_blocks.0.downsamplers.0.conv', 'unet.up_blocks.0.upsamplers.0.conv'];
    expect(more).toEqual([...expected, ...samplers].sort());
  });
});

const shared = join(import.meta.dirname, '../../../shared/data');
const isThere = existsSync(shared);

describe.skipIf(!isThere)(`on Stable Diffusion 1.5${isThere ? '' : ' (its configs are not there)'}`, () => {
  const read = (file: string) => JSON.parse(readFileSync(join(shared, file), 'utf8')) as unknown;

  test('attention and projections are kohya’s 192 + 72 modules', () => {
    const listed = read('sd-keymaps/lora-modules-sd15.json') as { mods: string[]; temods: string[] };
    const unet = unetModules(read('configs/sd15__unet_config.json'), 'attention-and-projections');
    expect(unet).toHaveLength(192);
    expect(unet).toEqual(listed.mods.map((module) => `unet.${module}`).sort());
    const text = textModules(read('configs/sd15__text_encoder_config.json'), 'attention-and-projections');
    expect(text).toEqual(listed.temods.map((module) => `text_encoder.${module}`).sort());
  });
});
