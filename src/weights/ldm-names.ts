// Where each weight of a Stable Diffusion model lies in a single-file checkpoint. Such files have the names of the original code (CompVis
// latent-diffusion, OpenCLIP), models here those of diffusers and transformers. One direction is enough: a reader looks up the place of
// every weight that it needs, a writer puts every weight that it has in its place.
import { assert } from '../base/assert';

/** What of a model's configs the names depend on. */
export type LdmLayout = {
  readonly layersPerBlock: number; // of the UNet
  readonly upBlockAttends: readonly boolean[]; // by up block of the UNet: whether it has transformers
  readonly vaeLevels: number;
  readonly textEncoder: 'clip' | 'open-clip';
};

export type LdmPlace = {
  readonly name: string;
  readonly shape: readonly number[]; // of the tensor in the file
  /** The weight is the rows from here on, as many as it has: OpenCLIP keeps q, k and v in one matrix. */
  readonly firstRow: number;
};

/** The place of the weight `name` ("unet.conv_in.weight", "text_encoder.text_model.…", "vae.…") of the given shape. */
export function ldmPlace(name: string, shape: readonly number[], layout: LdmLayout): LdmPlace {
  const [component, path] = splitAt(name, name.indexOf('.'));
  switch (component) {
    case 'unet':
      return { name: `model.diffusion_model.${unetName(path, layout)}`, shape, firstRow: 0 };
    case 'vae':
      return vaePlace(path, shape, layout);
    case 'text_encoder':
      if (layout.textEncoder === 'open-clip') return openClipPlace(path, shape);
      return { name: `cond_stage_model.transformer.${path}`, shape, firstRow: 0 };
    default:
      throw new Error(`${name} belongs to no component of Stable Diffusion`);
  }
}

const splitAt = (text: string, index: number): readonly [string, string] => [
  text.slice(0, index),
  text.slice(index + 1),
];

/** `path` with its start replaced where the table has it ("conv_out.bias" by "conv_out" → "out.2"). */
function renameStart(path: string, table: Readonly<Record<string, string>>): string {
  const start = Object.keys(table).find((key) => path.startsWith(`${key}.`));
  return start === undefined ? path : table[start]! + path.slice(start.length);
}

const unetEnds = {
  conv_in: 'input_blocks.0.0',
  'time_embedding.linear_1': 'time_embed.0',
  'time_embedding.linear_2': 'time_embed.2',
  'mid_block.attentions.0': 'middle_block.1',
  conv_norm_out: 'out.0',
  conv_out: 'out.2',
};

const resnetParts = {
  norm1: 'in_layers.0',
  conv1: 'in_layers.2',
  time_emb_proj: 'emb_layers.1',
  norm2: 'out_layers.0',
  conv2: 'out_layers.3',
  conv_shortcut: 'skip_connection',
};

/** The original counts the layers of all down blocks in one list, and those of all up blocks in another. */
function unetName(path: string, { layersPerBlock, upBlockAttends }: LdmLayout): string {
  const middle = /^mid_block\.resnets\.(\d)\.(.+)$/.exec(path);
  if (middle) return `middle_block.${2 * Number(middle[1])}.${renameStart(middle[2]!, resnetParts)}`;
  const found = /^(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)$/.exec(
    path,
  );
  if (!found) return renameStart(path, unetEnds);
  const [, direction, block, kind, index, part = ''] = found;
  const i = Number(block);
  const j = Number(index);
  const layer =
    direction === 'down'
      ? `input_blocks.${(layersPerBlock + 1) * i + j + 1}`
      : `output_blocks.${(layersPerBlock + 1) * i + j}`;
  switch (kind) {
    case 'resnets':
      return `${layer}.0.${renameStart(part, resnetParts)}`;
    case 'attentions':
      return `${layer}.1.${part}`;
    case 'downsamplers': // a layer of its own, after the block
      return `input_blocks.${(layersPerBlock + 1) * (i + 1)}.0.${renameStart(part, { conv: 'op' })}`;
    default: // the last part of the block's last layer
      return `output_blocks.${(layersPerBlock + 1) * i + layersPerBlock}.${upBlockAttends[i] ? 2 : 1}.${part}`;
  }
}

const vaeAttention = { group_norm: 'norm', to_q: 'q', to_k: 'k', to_v: 'v', 'to_out.0': 'proj_out' };

/** Linear layers of the attention are 1×1 convolutions there, and the decoder's levels are counted from the picture. */
function vaePlace(path: string, shape: readonly number[], { vaeLevels }: LdmLayout): LdmPlace {
  const [coder, inner] = splitAt(path, path.indexOf('.'));
  const place = (name: string, fileShape = shape) => ({
    name: `first_stage_model.${name}`,
    shape: fileShape,
    firstRow: 0,
  });
  if (coder !== 'encoder' && coder !== 'decoder') return place(path); // quant_conv, post_quant_conv
  const resnetPart = (part: string) => renameStart(part, { conv_shortcut: 'nin_shortcut' });

  const attention = /^mid_block\.attentions\.0\.(.+)$/.exec(inner);
  if (attention) {
    const fileShape = shape.length === 2 ? [...shape, 1, 1] : shape;
    return place(`${coder}.mid.attn_1.${renameStart(attention[1]!, vaeAttention)}`, fileShape);
  }
  const middle = /^mid_block\.resnets\.(\d)\.(.+)$/.exec(inner);
  if (middle) return place(`${coder}.mid.block_${Number(middle[1]) + 1}.${resnetPart(middle[2]!)}`);
  const found = /^(down|up)_blocks\.(\d+)\.(resnets|downsamplers|upsamplers)\.(\d+)\.(.+)$/.exec(inner);
  if (!found) return place(`${coder}.${renameStart(inner, { conv_norm_out: 'norm_out' })}`);
  const [, direction, block, kind, index, part = ''] = found;
  const level = direction === 'down' ? Number(block) : vaeLevels - 1 - Number(block);
  return kind === 'resnets'
    ? place(`${coder}.${direction}.${level}.block.${index}.${resnetPart(part)}`)
    : place(`${coder}.${direction}.${level}.${direction}sample.${part}`);
}

const openClipEnds = {
  'text_model.embeddings.token_embedding': 'token_embedding',
  'text_model.final_layer_norm': 'ln_final',
};

const openClipParts = {
  layer_norm1: 'ln_1',
  layer_norm2: 'ln_2',
  'self_attn.out_proj': 'attn.out_proj',
  'mlp.fc1': 'mlp.c_fc',
  'mlp.fc2': 'mlp.c_proj',
};

function openClipPlace(path: string, shape: readonly number[]): LdmPlace {
  const prefix = 'cond_stage_model.model';
  if (path === 'text_model.embeddings.position_embedding.weight')
    return { name: `${prefix}.positional_embedding`, shape, firstRow: 0 };
  const layer = /^text_model\.encoder\.layers\.(\d+)\.(.+)$/.exec(path);
  if (!layer) return { name: `${prefix}.${renameStart(path, openClipEnds)}`, shape, firstRow: 0 };
  const block = `${prefix}.transformer.resblocks.${layer[1]}`;
  const fused = /^self_attn\.([qkv])_proj\.(weight|bias)$/.exec(layer[2]!);
  if (!fused) return { name: `${block}.${renameStart(layer[2]!, openClipParts)}`, shape, firstRow: 0 };
  const [rows, ...rest] = shape;
  assert(rows !== undefined, `${path} is a number`);
  return {
    name: `${block}.attn.in_proj_${fused[2]}`,
    shape: [3 * rows, ...rest],
    firstRow: 'qkv'.indexOf(fused[1]!) * rows,
  };
}
