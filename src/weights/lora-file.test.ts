import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { floatToHalf } from '../base/float16';
import { checkLoraFits, readLora, type LoraModule } from './lora-file';
import { parseKohyaKey, writeKohya } from './lora-kohya';
import { flatPath } from './lora-module';
import { writePeft } from './lora-peft';
import { openSafetensors, writeSafetensors, type TensorToWrite } from './safetensors';

const attention = 'unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q';
const output = 'unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0';
const resnet = 'unet.mid_block.resnets.0.conv1';
const text = 'text_encoder.text_model.encoder.layers.0.self_attn.q_proj';
const textOut = 'text_encoder.text_model.encoder.layers.0.self_attn.out_proj';
const names = [attention, output, resnet, text, textOut, 'unet.conv_in'];

function matrix(shape: readonly number[], first: number) {
  const size = shape.reduce((product, n) => product * n, 1);
  return { shape, data: Float32Array.from({ length: size }, (_, i) => first + i / 8) };
}

function moduleOf(module: string, rank: number, alpha: number, kernel = 0): LoraModule {
  const tail = kernel === 0 ? [] : [kernel, kernel];
  const ones = tail.map(() => 1);
  return { module, rank, alpha, down: matrix([rank, 3, ...tail], 0.5), up: matrix([5, rank, ...ones], -2) };
}

const sorted = (modules: readonly LoraModule[]) =>
  [...modules].sort((a, b) => (a.module < b.module ? -1 : 1));
const modules = sorted([
  moduleOf(attention, 2, 2),
  moduleOf(output, 2, 2),
  moduleOf(resnet, 2, 2, 3),
  moduleOf(text, 2, 2),
]);
const scaled = sorted([moduleOf(attention, 4, 8), moduleOf(resnet, 2, 1, 3), moduleOf(text, 4, 3)]);

const read = (bytes: Uint8Array<ArrayBuffer>, moduleNames = names) =>
  readLora(new Blob([bytes]), 'x.safetensors', moduleNames);
const tensorNames = async (bytes: Uint8Array<ArrayBuffer>) => [
  ...(await openSafetensors(new Blob([bytes]), '')).tensors.keys(),
];
const float = (name: string, shape: readonly number[], data: readonly number[]): TensorToWrite => ({
  name,
  dtype: 'F32',
  shape,
  data: Float32Array.from(data),
});

describe('kohya', () => {
  test('comes back as it was, alpha and convolutions included', async () => {
    expect(await read(writeKohya(modules, {}))).toEqual(modules);
    expect(await read(writeKohya(scaled, {}))).toEqual(scaled);
  });

  test('has the names and shapes of sd-scripts and its hashes', async () => {
    const bytes = writeKohya(modules.slice(-2), { ss_v2: 'False', 'modelspec.title': 'x' });
    const file = await openSafetensors(new Blob([bytes]), '');
    expect([...file.tensors].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
      ['lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.alpha', 'F32', []],
      [
        'lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.lora_down.weight',
        'F32',
        [2, 3],
      ],
      ['lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.lora_up.weight', 'F32', [5, 2]],
      ['lora_unet_mid_block_resnets_0_conv1.alpha', 'F32', []],
      ['lora_unet_mid_block_resnets_0_conv1.lora_down.weight', 'F32', [2, 3, 3, 3]],
      ['lora_unet_mid_block_resnets_0_conv1.lora_up.weight', 'F32', [5, 2, 1, 1]],
    ]);
    const dataStart = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const sha = (part: Uint8Array) => createHash('sha256').update(part).digest('hex');
    expect(file.metadata).toEqual({
      ss_v2: 'False',
      'modelspec.title': 'x',
      sshs_model_hash: sha(bytes.subarray(dataStart)),
      sshs_legacy_hash: 'e3b0c442', // of nothing: the file is shorter than 1 MiB
    });
    expect(await tensorNames(writeKohya([moduleOf(text, 1, 1)], {}))).toContain(
      'lora_te_text_model_encoder_layers_0_self_attn_q_proj.alpha',
    );
  });

  test('the legacy hash is of 64 kB from 1 MiB on, of a file with ss_ metadata only', async () => {
    const large: LoraModule = {
      module: 'unet.conv_in',
      rank: 4,
      alpha: 4,
      down: matrix([4, 100_000], 0),
      up: matrix([1, 4], 0),
    };
    const bytes = writeKohya([large], { ss_a: 'b', 'modelspec.title': 'a title' });
    const bare = writeSafetensors(
      [
        { name: 'lora_unet_conv_in.lora_down.weight', dtype: 'F32', ...large.down },
        { name: 'lora_unet_conv_in.lora_up.weight', dtype: 'F32', ...large.up },
        float('lora_unet_conv_in.alpha', [], [4]),
      ],
      { ss_a: 'b' },
    );
    const expected = createHash('sha256').update(bare.subarray(0x100000, 0x110000)).digest('hex');
    const { metadata } = await openSafetensors(new Blob([bytes]), '');
    expect(metadata['sshs_legacy_hash']).toBe(expected.slice(0, 8));
  });

  test('reads half and bfloat16 numbers, both text encoder prefixes, and no alpha as scale 1', async () => {
    const half = (values: readonly number[]) => floatToHalf(Float32Array.from(values));
    const bytes = writeSafetensors([
      {
        name: 'lora_te1_encoder_layers_0_self_attn_q_proj.lora_down.weight',
        dtype: 'F16',
        shape: [1, 2],
        data: half([1.5, -2]),
      },
      {
        name: 'lora_te1_encoder_layers_0_self_attn_q_proj.lora_up.weight',
        dtype: 'BF16',
        shape: [2, 1],
        data: Uint16Array.of(0x3f80, 0xc040),
      },
      { name: 'lora_unet_conv_in.lora_down.weight', dtype: 'F16', shape: [2, 1, 1, 1], data: half([1, 2]) },
      { name: 'lora_unet_conv_in.lora_up.weight', dtype: 'F16', shape: [1, 2, 1, 1], data: half([3, 4]) },
      { name: 'lora_unet_conv_in.alpha', dtype: 'F16', shape: [], data: half([0.5]) },
    ]);
    expect(await read(bytes)).toEqual([
      {
        module: text,
        rank: 1,
        alpha: 1,
        down: { shape: [1, 2], data: Float32Array.of(1.5, -2) },
        up: { shape: [2, 1], data: Float32Array.of(1, -3) },
      },
      {
        module: 'unet.conv_in',
        rank: 2,
        alpha: 0.5,
        down: { shape: [2, 1, 1, 1], data: Float32Array.of(1, 2) },
        up: { shape: [1, 2, 1, 1], data: Float32Array.of(3, 4) },
      },
    ]);
  });

  const list = new URL('../../../shared/data/sd-keymaps/lora-modules-sd15.json', import.meta.url);
  test.skipIf(!existsSync(list))(
    'all 192 layers of Stable Diffusion 1.5 are found again (needs shared/)',
    async () => {
      const { mods } = JSON.parse(readFileSync(list, 'utf8')) as { mods: readonly string[] };
      const paths = mods.map((path) => `unet.${path}`);
      expect(paths).toHaveLength(192);
      const written = sorted(paths.map((path) => moduleOf(path, 1, 1)));
      expect(await read(writeKohya(written, {}), paths)).toEqual(written);
      expect(new Set(paths.map(flatPath)).size).toBe(192);
    },
  );
});

describe('PEFT', () => {
  test('comes back as it was; alpha needs metadata only where it is not the rank', async () => {
    const plain = writePeft(modules, {});
    expect(await read(plain)).toEqual(modules);
    expect((await openSafetensors(new Blob([plain]), '')).metadata).toEqual({ format: 'pt' });
    expect((await tensorNames(plain)).slice(0, 2)).toEqual([
      `${text}.lora_A.weight`,
      `${text}.lora_B.weight`,
    ]);

    const bytes = writePeft(scaled, { note: 'n' });
    expect(await read(bytes)).toEqual(scaled);
    const { metadata } = await openSafetensors(new Blob([bytes]), '');
    expect(metadata['note']).toBe('n');
    expect(JSON.parse(metadata['lora_adapter_metadata']!)).toEqual({
      'unet.r': 4,
      'unet.lora_alpha': 8,
      'unet.rank_pattern': { 'mid_block.resnets.0.conv1': 2 },
      'unet.alpha_pattern': { 'mid_block.resnets.0.conv1': 1 },
      'unet.target_modules': [
        'down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q',
        'mid_block.resnets.0.conv1',
      ],
      'text_encoder.r': 4,
      'text_encoder.lora_alpha': 3,
      'text_encoder.rank_pattern': {},
      'text_encoder.alpha_pattern': {},
      'text_encoder.target_modules': ['text_model.encoder.layers.0.self_attn.q_proj'],
    });
  });

  test('reads peft’s own prefix, adapter names and rsLoRA', async () => {
    const bytes = writeSafetensors(
      [
        float('base_model.model.conv_in.lora_A.default.weight', [4, 1], [1, 2, 3, 4]),
        float('base_model.model.conv_in.lora_B.default.weight', [1, 4], [5, 6, 7, 8]),
      ],
      { lora_adapter_metadata: '{"unet.lora_alpha":8,"unet.use_rslora":true}' },
    );
    expect(await read(bytes)).toEqual([
      {
        module: 'unet.conv_in',
        rank: 4,
        alpha: 16, // 8 / √4 = 16 / 4
        down: { shape: [4, 1], data: Float32Array.of(1, 2, 3, 4) },
        up: { shape: [1, 4], data: Float32Array.of(5, 6, 7, 8) },
      },
    ]);
  });
});

test.each([
  ['….lora.down', `${output}.lora`, output],
  [
    'attention processor',
    'down_blocks.0.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora',
    output,
  ],
  [
    'attention processor with unet.',
    'unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora',
    attention,
  ],
  ['linear layer', `${text}.lora_linear_layer`, text],
  [
    'text encoder as of transformers 5',
    'text_encoder.encoder.layers.0.self_attn.q_proj.lora_linear_layer',
    text,
  ],
  ['old text encoder', 'text_encoder.text_model.encoder.layers.0.self_attn.to_out_lora', textOut],
  ['single model', 'text_model.encoder.layers.0.self_attn.to_q_lora', text],
])('reads the diffusers layout: %s', async (_, prefix, module) => {
  const bytes = writeSafetensors([
    float(`${prefix}.down.weight`, [1, 2], [1, 2]),
    float(`${prefix}.up.weight`, [2, 1], [3, 4]),
  ]);
  const expected = {
    down: { shape: [1, 2], data: Float32Array.of(1, 2) },
    up: { shape: [2, 1], data: Float32Array.of(3, 4) },
  };
  expect(await read(bytes)).toEqual([{ module, rank: 1, alpha: 1, ...expected }]);
});

test('reads alpha beside diffusers names', async () => {
  const bytes = writeSafetensors([
    float(`${text}.lora_linear_layer.down.weight`, [2, 1], [1, 2]),
    float(`${text}.lora_linear_layer.up.weight`, [1, 2], [3, 4]),
    float(`${text}.alpha`, [], [0.25]),
  ]);
  expect((await read(bytes))[0]!.alpha).toBe(0.25);
});

test('a name of the base without text_model. is kept as the base has it', async () => {
  const bare = 'text_encoder.encoder.layers.0.self_attn.q_proj';
  const bytes = writeKohya([moduleOf(text, 2, 2)], {});
  expect((await read(bytes, [bare]))[0]!.module).toBe(bare);
  expect(await tensorNames(writeKohya([moduleOf(bare, 2, 2)], {}))).toEqual(await tensorNames(bytes));
});

test.each([
  ['model.diffusion_model.input_blocks.0.0.weight', 'it is a whole model in one file, not a LoRA'],
  ['control_model.time_embed.0.weight', 'it is a ControlNet, not a LoRA'],
  ['time_embedding.linear_1.weight', 'it is the UNet of a model, not a LoRA'],
  ['text_model.embeddings.token_embedding.weight', 'it is the text encoder of a model, not a LoRA'],
  ['emb_params', 'it is a textual inversion embedding, not a LoRA'],
  ['<sks>', 'it is a textual inversion embedding, not a LoRA'],
  ['lora_te2_text_model_encoder_layers_0_mlp_fc1.alpha', 'it is a LoRA for Stable Diffusion XL'],
  ['lora_unet_input_blocks_4_1_proj_in.alpha', 'it is a LoRA for Stable Diffusion XL'],
  ['lora_unet_double_blocks_0_img_attn_qkv.alpha', 'it is a LoRA for Flux'],
  ['transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight', 'it is a LoRA for Flux'],
  [
    'transformer.transformer_blocks.0.attn.to_q.lora_A.weight',
    'it is a LoRA for a transformer model such as Flux or Stable Diffusion 3',
  ],
  ['unet:0:up', 'it is in cloneofsimo’s LoRA format, which this page does not read'],
  ['lora_unet_conv_in.dora_scale', 'it holds DoRA weights, which this page cannot use'],
  ['lora_unet_conv_in.hada_w1_a', 'it holds LoHa weights, which this page cannot use'],
  [
    'lora_unet_conv_in.diff_b',
    'it holds "lora_unet_conv_in.diff_b", which is no part of a LoRA that this page reads',
  ],
  ['lora_unet_conv_in.lora_down.weight', 'one of the two matrices of unet.conv_in is missing'],
])('says what another file is: %s', async (name, reason) => {
  await expect(read(writeSafetensors([float(name, [1], [0])]))).rejects.toMatchObject({
    code: 'bad-file',
    details: { file: 'x.safetensors', reason },
  });
});

test('a file of two tensors that are no LoRA is not called an embedding', async () => {
  const bytes = writeSafetensors([float('a', [1], [0]), float('b', [1], [0])]);
  await expect(read(bytes)).rejects.toMatchObject({ details: { reason: 'it is not a LoRA' } });
});

test('refuses matrices that do not fit together and an alpha that is no number', async () => {
  const good = moduleOf('unet.conv_in', 2, 2);
  const reasonOf = (module: LoraModule) =>
    read(writeKohya([module], {})).then(
      () => 'read',
      (error: { details: { reason: string } }) => error.details.reason,
    );
  expect(await reasonOf({ ...good, up: matrix([5, 3], 0) })).toBe(
    'the shapes [2, 3] and [5, 3] of unet.conv_in do not fit together',
  );
  expect(await reasonOf({ ...good, up: matrix([5, 2, 1, 1], 0) })).toBe(
    'the shapes [2, 3] and [5, 2, 1, 1] of unet.conv_in do not fit together',
  );
  expect(await reasonOf({ ...good, alpha: NaN })).toBe('the alpha of unet.conv_in is not a number');
});

test('a LoRA of another base is named as such, by its layers or by its sizes', async () => {
  await expect(read(writeKohya(modules, {}), [attention])).rejects.toMatchObject({
    code: 'wrong-model',
    details: {
      file: 'x.safetensors',
      reason:
        'it changes 4 layers, and this model does not have 3 of them, such as text_encoder_encoder_layers_0_self_attn_q_proj',
    },
  });
  const shapes = new Map([
    [attention, [5, 3, 1, 1]], // a 1 × 1 convolution is a linear layer
    [resnet, [5, 3, 3, 3]],
    [text, [5, 3]],
  ]);
  expect(() => checkLoraFits(scaled, shapes, 'f')).not.toThrow();
  shapes.set(resnet, [5, 3, 1, 1]);
  expect(() => checkLoraFits(scaled, shapes, 'f')).toThrow(
    `${resnet} goes from 3 to 5 (1 × 1), in the file from 3 to 5 (3 × 3)`,
  );
  shapes.set(attention, [5, 4]);
  expect(() => checkLoraFits(scaled, shapes, 'f')).toThrow('goes from 4 to 5 (1 × 1), in the file from 3');
});

test('kohya names of other families are not taken for this one', () => {
  expect(parseKohyaKey('lora_te2_a.alpha')).toBeUndefined();
  expect(parseKohyaKey('lora_unet_a.b.alpha')).toBeUndefined();
  expect(parseKohyaKey('lora_unet_a.lora_up.weight')).toEqual({ path: 'unet_a', part: 'up' });
});
