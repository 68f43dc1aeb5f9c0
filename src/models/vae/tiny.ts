// AutoencoderTiny of diffusers (TAESD): a small convolutional autoencoder with any number of levels.
import { z } from 'zod';
import type { Value } from '../../onnx/graph';
import { add, cast, relu, scale, tanh, upsampleNearest } from '../../onnx/operators';
import { parseConfig, perLevel } from '../config';
import { conv2d, within, type Scope } from '../layers';

const fields = z.object({
  in_channels: z.literal(3).default(3), // colours
  out_channels: z.literal(3).default(3),
  latent_channels: z.int().positive().default(4),
  encoder_block_out_channels: z.array(z.int().positive()).min(1),
  decoder_block_out_channels: z.array(z.int().positive()).min(1),
  num_encoder_blocks: z.array(z.int().min(0)).min(1),
  num_decoder_blocks: z.array(z.int().min(0)).min(1),
  act_fn: z.literal('relu').default('relu'),
  upsample_fn: z.literal('nearest').default('nearest'),
  upsampling_scaling_factor: z.literal(2).default(2), // the encoder halves
  scaling_factor: z.number().default(1),
  shift_factor: z.number().default(0),
});

const schema = fields.superRefine(
  perLevel(
    'num_decoder_blocks',
    'num_encoder_blocks',
    'encoder_block_out_channels',
    'decoder_block_out_channels',
  ),
);

export type AutoencoderTinyConfig = z.infer<typeof schema>;

/** Parses an AutoencoderTiny's config.json; throws AppError('unsupported-model'). */
export const parseAutoencoderTinyConfig = (config: unknown): AutoencoderTinyConfig =>
  parseConfig(schema, 'autoencoder', config);

/** Pictures [n, 3, H, W] in [-1, 1] → latents [n, latent_channels, h, w], unscaled. */
export function encodeTiny(scope: Scope, config: AutoencoderTinyConfig, picture: Value): Value {
  const { builder: b } = scope;
  const layers = new Layers(within(scope, 'encoder.layers'));
  let x = scale(b, add(b, picture, b.scalar(1)), 0.5); // to [0, 1]
  config.num_encoder_blocks.forEach((blocks, i) => {
    const out = config.encoder_block_out_channels[i]!;
    x = conv2d(layers.next(), x, out, i === 0 ? { size: 3 } : { size: 3, stride: 2, bias: false });
    for (let j = 0; j < blocks; j++) x = block(layers.next(), x, out);
  });
  return conv2d(layers.next(), x, config.latent_channels, { size: 3 });
}

/** Latents [n, latent_channels, h, w], unscaled → pictures [n, 3, H, W], nearly in [-1, 1]. Both are float32. */
export function decodeTiny(scope: Scope, config: AutoencoderTinyConfig, latents: Value): Value {
  const { builder: b } = scope;
  const layers = new Layers(within(scope, 'decoder.layers'));
  let x = scale(b, tanh(b, scale(b, latents, 1 / 3)), 3); // outliers are bent back
  x = cast(b, x, scope.computeType);
  x = relu(b, conv2d(layers.next(), x, config.decoder_block_out_channels[0]!, { size: 3 }));
  layers.next(); // the activation's place in the sequence
  config.num_decoder_blocks.forEach((blocks, i) => {
    const width = config.decoder_block_out_channels[i]!;
    const isLast = i === config.num_decoder_blocks.length - 1;
    for (let j = 0; j < blocks; j++) x = block(layers.next(), x, width);
    if (!isLast) {
      layers.next(); // the upsampling's place
      x = upsampleNearest(b, x, config.upsampling_scaling_factor);
    }
    x = conv2d(layers.next(), x, isLast ? config.out_channels : width, { size: 3, bias: isLast });
  });
  return add(b, scale(b, cast(b, x, 'float32'), 2), b.scalar(-1)); // from [0, 1]
}

/** AutoencoderTinyBlock: three convolutions beside a skip connection. */
function block(scope: Scope, x: Value, out: number): Value {
  const { builder: b } = scope;
  const first = relu(b, conv2d(within(scope, 'conv.0'), x, out, { size: 3 }));
  const second = relu(b, conv2d(within(scope, 'conv.2'), first, out, { size: 3 }));
  const third = conv2d(within(scope, 'conv.4'), second, out, { size: 3 });
  const skip = x.shape[1] === out ? x : conv2d(within(scope, 'skip'), x, out, { size: 1, bias: false });
  return relu(b, add(b, third, skip));
}

/** Counts the places of an nn.Sequential. */
class Layers {
  readonly #scope: Scope;
  #count = 0;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  next(): Scope {
    return within(this.#scope, String(this.#count++));
  }
}
