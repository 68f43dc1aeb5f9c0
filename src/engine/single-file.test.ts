// A small Stable Diffusion 2 in one file, whose names are those that diffusers reads (weights/ldm-names.test.ts); real sizes as headers
// over a file of zeros; and files that must be refused.
import { describe, expect, test } from 'vitest';
import { listParameters } from '../models/parameters';
import type { Preset } from '../models/presets/preset';
import { stableDiffusion1, stableDiffusion2, stableDiffusion2Base } from '../models/presets/stable-diffusion';
import { floatToHalf } from '../base/float16';
import type { LdmLayout } from '../weights/ldm-names';
import { writeSafetensors, type TensorToWrite } from '../weights/safetensors';
import { countOf } from '../weights/stored-tensor';
import { numbered, singleFileTensors } from '../weights/testing/single-file';
import fixture from '../weights/__fixtures__/single-file.json';
import { openSingleFile } from './single-file';
import { configsOf, shapesInFile, stableDiffusionLayout, zeroFile } from './testing/real-size';

const layout: LdmLayout = { ...stableDiffusionLayout, textEncoder: 'open-clip' };
const small: Preset = {
  ...stableDiffusion2Base,
  unet: fixture.configs.unet,
  textEncoder: fixture.configs.text_encoder,
  vae: fixture.configs.vae,
};
const smallV: Preset = { ...small, resolution: 768, scheduler: stableDiffusion2.scheduler };
const presets = [small, smallV];

const parameters = listParameters(configsOf(small)).parameters;
const tensors = singleFileTensors(parameters, layout);

const open = (content: BlobPart, known: readonly Preset[] = presets, path = 'model.safetensors') =>
  openSingleFile(new Map([[path, new Blob([content])]]), path, known);
const openTensors = (list: readonly TensorToWrite[], metadata: Readonly<Record<string, string>> = {}) =>
  open(writeSafetensors(list, metadata));

const predictionBias = 'model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias';
const changed = (name: string, change: (tensor: TensorToWrite) => TensorToWrite) =>
  tensors.map((tensor) => (tensor.name === name ? change(tensor) : tensor));

describe('a small Stable Diffusion 2 in one file', () => {
  test('gives every weight of the graphs, bit for bit', async () => {
    const { sources } = await openTensors(tensors);
    const all = [...sources.unet, ...sources.text_encoder, ...sources.vae];
    expect(all.map(({ name }) => name).sort()).toEqual(parameters.map(({ name }) => name).sort());
    for (const source of all) {
      const { name, type, shape } = source;
      const difference = Buffer.compare(await source.read(), new Uint8Array(numbered(name, shape).buffer));
      expect([name, type, difference]).toEqual([name, 'float32', 0]);
    }
  });

  test('keeps half precision, and reads bfloat16 as float32', async () => {
    const name = 'cond_stage_model.model.transformer.resblocks.1.attn.in_proj_bias';
    const values = Float32Array.from({ length: 96 }, (_, i) => i / 2);
    const key = 'text_encoder.text_model.encoder.layers.1.self_attn.k_proj.bias';
    const readKey = async (tensor: Pick<TensorToWrite, 'dtype' | 'data'>) => {
      const { sources } = await openTensors(changed(name, (old) => ({ ...old, ...tensor })));
      const source = sources.text_encoder.find(({ name: found }) => found === key)!;
      return [source.type, (await source.read()) as Uint8Array<ArrayBuffer>] as const;
    };
    const [halfType, half] = await readKey({ dtype: 'F16', data: floatToHalf(values) });
    expect([halfType, new Uint16Array(half.buffer)]).toEqual(['float16', floatToHalf(values.slice(32, 64))]);
    const upper = Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16);
    const [brainType, brain] = await readKey({ dtype: 'BF16', data: upper });
    expect([brainType, new Float32Array(brain.buffer)]).toEqual(['float32', values.slice(32, 64)]);
  });

  test.each<[string, readonly TensorToWrite[], Readonly<Record<string, string>>, Preset, string]>([
    ['small spread of a bias: noise', tensors, {}, small, 'epsilon'],
    [
      'large spread of a bias: velocity',
      changed(predictionBias, (old) => ({
        ...old,
        data: Float32Array.from({ length: 20 }, (_, i) => (i % 2) / 5),
      })),
      {},
      smallV,
      'v_prediction',
    ],
    [
      'the metadata before the weights',
      tensors,
      { 'modelspec.prediction_type': 'v' },
      smallV,
      'v_prediction',
    ],
    [
      'a mark of its maker',
      [...tensors, { name: 'v_pred', dtype: 'F32', shape: [0], data: new Float32Array(0) }],
      {},
      smallV,
      'v_prediction',
    ],
  ])('tells what it predicts: %s', async (_, list, metadata, preset, prediction) => {
    // the numbered bias spreads far: a narrow one is noise
    const narrow = list.map((tensor) =>
      tensor.name === predictionBias &&
      tensor.data === tensors.find(({ name }) => name === predictionBias)!.data
        ? { ...tensor, data: new Float32Array(20).fill(0.5) }
        : tensor,
    );
    const found = await openTensors(narrow, metadata);
    expect(found.preset).toBe(preset);
    expect(found.schedule.predictionType).toBe(prediction);
  });

  test('is read in the form of Stable Diffusion XL’s code, and beside weights that nobody needs', async () => {
    const others = tensors.map((tensor) => ({
      ...tensor,
      name: tensor.name.replace(/^cond_stage_model\.model\./, 'conditioner.embedders.0.model.'),
    }));
    const extra: TensorToWrite = {
      name: 'model_ema.decay',
      dtype: 'F32',
      shape: [],
      data: new Float32Array(1),
    };
    const { sources } = await openTensors([...others, extra]);
    expect(sources.text_encoder).toHaveLength(
      parameters.filter(({ name }) => name.startsWith('text_encoder.')).length,
    );
  });
});

const sd1Shapes = shapesInFile(stableDiffusion1, 'clip');
const openReal = (shapes: ReadonlyMap<string, readonly number[]>) =>
  openSingleFile(new Map([['model.safetensors', zeroFile(shapes)]]), 'model.safetensors');

describe('files of the real sizes', () => {
  test.each([
    ['Stable Diffusion 1', stableDiffusion1, 'clip', 859_520_964, 123_060_480],
    ['Stable Diffusion 2', stableDiffusion2Base, 'open-clip', 865_910_724, 340_387_840],
  ] as const)('%s', async (_, preset, textEncoder, unetSize, textSize) => {
    const model = await openReal(shapesInFile(preset, textEncoder));
    expect(model.preset).toBe(preset);
    const sizes = [model.sources.unet, model.sources.text_encoder, model.sources.vae].map((sources) =>
      sources.reduce((sum, { shape }) => sum + countOf(shape), 0),
    );
    expect(sizes).toEqual([unetSize, textSize, 83_653_863]);
  });

  test('the text encoder’s names without text_model.', async () => {
    const old = [...sd1Shapes].map(
      ([name, shape]) => [name.replace('.transformer.text_model.', '.transformer.'), shape] as const,
    );
    expect((await openReal(new Map(old))).preset).toBe(stableDiffusion1);
  });
});

describe('another model is refused by its name', () => {
  const without = (pattern: RegExp) => [...sd1Shapes].filter(([name]) => !pattern.test(name));
  const withShape = (pattern: RegExp, change: (shape: readonly number[]) => readonly number[]) =>
    [...sd1Shapes].map(([name, shape]) => [name, pattern.test(name) ? change(shape) : shape] as const);
  const read = '; Stable Diffusion 1.x and 2.x are read';
  type Shapes = readonly (readonly [string, readonly number[]])[];

  test.each<[string, Shapes, string, string]>([
    [
      'XL',
      [...without(/^cond_stage_model/), ['conditioner.embedders.1.model.ln_final.bias', [1280]]],
      'unsupported-model',
      `it is Stable Diffusion XL${read}`,
    ],
    [
      'XL by its width',
      withShape(/attn2\.to_k/, ([out = 0]) => [out, 2048]),
      'unsupported-model',
      `it is Stable Diffusion XL${read}`,
    ],
    [
      'XL’s refiner',
      withShape(/attn2\.to_k/, ([out = 0]) => [out, 1280]),
      'unsupported-model',
      `it is an older latent diffusion model, or the refiner of Stable Diffusion XL${read}`,
    ],
    [
      '3',
      [['model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight', [8, 8]]],
      'unsupported-model',
      `it is Stable Diffusion 3${read}`,
    ],
    [
      'Flux',
      [['model.diffusion_model.double_blocks.0.img_attn.qkv.weight', [8, 8]]],
      'unsupported-model',
      `it is Flux, or a transformer like it${read}`,
    ],
    [
      'Flux of diffusers',
      [['single_transformer_blocks.0.attn.to_q.weight', [8, 8]]],
      'unsupported-model',
      `it is Flux, or a transformer like it${read}`,
    ],
    [
      'a diffusion transformer',
      [['transformer_blocks.0.attn1.to_q.weight', [8, 8]]],
      'unsupported-model',
      `it is a diffusion transformer${read}`,
    ],
    [
      'inpainting',
      withShape(/input_blocks\.0\.0\.weight/, () => [320, 9, 3, 3]),
      'unsupported-model',
      `it is an inpainting model${read}`,
    ],
    [
      'depth',
      withShape(/input_blocks\.0\.0\.weight/, () => [320, 5, 3, 3]),
      'unsupported-model',
      `it is a model that draws from a depth map${read}`,
    ],
    [
      'unCLIP',
      [...sd1Shapes, ['model.diffusion_model.label_emb.0.0.weight', [8, 8]]],
      'unsupported-model',
      `it is a model that draws variations of a picture (unCLIP)${read}`,
    ],
    [
      'a LoRA',
      [['lora_unet_mid_block_attentions_0_proj_in.lora_down.weight', [4, 8]]],
      'bad-file',
      'it is a LoRA, not a whole model: import it as a subject',
    ],
    [
      'a ControlNet',
      [['control_model.input_hint_block.0.weight', [8, 8]]],
      'bad-file',
      'it is a ControlNet, not a model that draws by itself',
    ],
    [
      'an embedding',
      [['emb_params', [1, 768]]],
      'bad-file',
      'it is a textual inversion embedding, not a model',
    ],
    [
      'a UNet',
      [
        ['conv_in.weight', [320, 4, 3, 3]],
        ['conv_out.bias', [4]],
      ],
      'bad-file',
      'it is the UNet of a model alone: choose the whole folder',
    ],
    [
      'an autoencoder',
      [['decoder.conv_in.weight', [8, 4, 3, 3]]],
      'bad-file',
      'it is the image autoencoder of a model alone: choose the whole model',
    ],
    [
      'something else',
      [['weight', [8]]],
      'bad-file',
      'it is no Stable Diffusion model: there is no UNet in it',
    ],
    ['nothing', [], 'bad-file', 'it is without any weights'],
  ])('%s', async (_, shapes, code, reason) => {
    await expect(openReal(new Map(shapes))).rejects.toMatchObject({
      code,
      details: { file: 'model.safetensors', reason },
    });
  });
});

describe('a damaged file is refused', () => {
  const bias = 'first_stage_model.decoder.conv_out.bias';
  const query = 'cond_stage_model.model.transformer.resblocks.0.attn.in_proj_weight';

  test.each<[string, readonly TensorToWrite[], string]>([
    [
      'one weight missing',
      tensors.filter(({ name }) => name !== query),
      `of its 970 weights these are missing: "${query}"`,
    ],
    [
      'the autoencoder missing',
      tensors.filter(({ name }) => !name.startsWith('first_stage_model.')),
      'of its 970 weights these are missing: "first_stage_model.post_quant_conv.bias", "first_stage_model.post_quant_conv.weight", "first_stage_model.decoder.conv_in.bias" and 245 more',
    ],
    [
      'another shape',
      changed(bias, (old) => ({ ...old, shape: [4], data: new Float32Array(4) })),
      `"${bias}" is [4], this kind of model has [3]`,
    ],
    [
      'whole numbers',
      changed(bias, (old) => ({ ...old, dtype: 'I32' })),
      `"${bias}" holds I32 numbers, which this page cannot use as weights`,
    ],
  ])('%s', async (_, list, reason) => {
    await expect(openTensors(list)).rejects.toMatchObject({
      code: 'bad-file',
      details: { file: 'model.safetensors', reason },
    });
  });

  test.each<[string, TensorToWrite['dtype'], ArrayBufferView]>([
    ['NaN', 'F32', Float32Array.of(1, NaN, 1)],
    ['infinity', 'F32', Float32Array.of(1, 1, -Infinity)],
    ['NaN in half precision', 'F16', Uint16Array.of(0, 0, 0x7e01)],
    ['infinity in bfloat16', 'BF16', Uint16Array.of(0, 0x7f80, 0)],
  ])('%s, when it is read', async (_, dtype, data) => {
    const { sources } = await openTensors(changed(bias, (old) => ({ ...old, dtype, data })));
    const source = sources.vae.find(({ name }) => name === 'vae.decoder.conv_out.bias')!;
    await expect(source.read()).rejects.toMatchObject({
      code: 'bad-file',
      details: { file: 'model.safetensors', reason: `"${bias}" holds numbers that are not finite` },
    });
  });
});
