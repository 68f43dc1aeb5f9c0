// The whole graphs of a Stable Diffusion pipeline: text, one guided denoising call, and the autoencoder both ways.
import { GraphBuilder } from '../onnx/builder';
import type { FloatType, Graph, Value } from '../onnx/graph';
import { add, cast, concat, div, mul, reduceMean, scale, slice, sqrt, sub } from '../onnx/operators';
import { unpack, type Pack } from '../onnx/packing';
import type { ClipTextConfig } from './clip/config';
import { clipTextModel } from './clip/text-model';
import { rootScope, type ScopeOptions } from './layers';
import { Lora, loraInputNames, type LoraModule, type RankOf } from './lora';
import type { UnetConfig } from './unet/config';
import { unet } from './unet/unet';
import { decodeTiny, encodeTiny, type AutoencoderTinyConfig } from './vae/tiny';
import { decodeKl, encodeKl, type AutoencoderKlConfig } from './vae/kl';

export type AutoencoderConfig =
  | { readonly kind: 'AutoencoderTiny'; readonly config: AutoencoderTinyConfig }
  | { readonly kind: 'AutoencoderKL'; readonly config: AutoencoderKlConfig };

/** Latent shape [n, c, h, w]. */
export type LatentShape = readonly [number, number, number, number];

/** The matrices of each block's adapters, of `type` in the graph, as one vector "theta.<block>": modules in alphabetical order, A before B. */
export function loraPacks(modules: readonly LoraModule[], type: FloatType = 'float32'): readonly Pack[] {
  const segments = [...new Set(modules.map(({ segment }) => segment))];
  return segments.map((segment) => ({
    name: `theta.${segment}`,
    members: modules
      .filter((module) => module.segment === segment)
      .sort((one, other) => (one.module < other.module ? -1 : 1))
      .flatMap(({ module, down, up }): Value[] => {
        const [a, z] = loraInputNames(module);
        return [
          { name: a, type, shape: down },
          { name: z, type, shape: up },
        ];
      }),
  }));
}

/** A graph whose adapters' matrices are cut from the packed vectors, which become its inputs. */
export function packAdapters(graph: Graph, packs: readonly Pack[]): Graph {
  const b = new GraphBuilder(graph.name, 'pack_');
  const members = new Set(packs.flatMap((pack) => pack.members.map((member) => member.name)));
  for (const pack of packs) unpack(b, pack);
  for (const input of graph.inputs) if (!members.has(input.name)) b.adopt('input', input);
  for (const parameter of graph.parameters) b.adopt('parameter', parameter);
  for (const constant of graph.constants) b.adoptConstant(constant);
  for (const node of graph.nodes) b.append(node);
  return b.finish(Object.fromEntries(graph.outputs.map((value) => [value.name, value])));
}

/** ids int32 [n, t] → context [n, t, hidden_size]. With `rankOf` the adapters of the text encoder take part, scaled by "strength" [1]. */
export function textGraph(
  config: ClipTextConfig,
  n: number,
  options: { rankOf?: RankOf | undefined } & Pick<ScopeOptions, 'weightType' | 'largestBytes'> = {},
): { graph: Graph; packs: readonly Pack[] } {
  const b = new GraphBuilder('text encoder');
  const ids = b.input('ids', 'int32', [n, config.max_position_embeddings]);
  const lora = options.rankOf && new Lora(options.rankOf, b.input('strength', 'float32', [1]));
  const { weightType, largestBytes } = options;
  const scope = rootScope(b, 'text_encoder', { lora, weightType, largestBytes });
  const graph = b.finish({ context: clipTextModel(scope, config, ids) });
  const packs = loraPacks(lora?.modules ?? []);
  return { graph: packAdapters(graph, packs), packs };
}

export type DenoiseOptions = {
  readonly shape: LatentShape;
  readonly contextLength: number;
  /** Classifier-free guidance (Ho & Salimans 2022) as one batch of two: context is [2n, s, e], the unconditional half first. */
  readonly guided: boolean;
  /** Guidance rescale φ (Lin et al. 2023, section 3.4): pulls the spread of the result back to that of the conditional half. */
  readonly rescaled: boolean;
  readonly rankOf?: RankOf | undefined;
} & Omit<ScopeOptions, 'lora'>;

/**
 * One model call of the sampling loop; inputs and output are float32 whatever the UNet computes in. Inputs: sample [n, c, h, w], inputScale [1], time [1, block_out_channels[0]], context,
 * guidance [1] and rescale [1] where the options ask for them, timeCondition [1, time_cond_proj_dim] where the config has it, strength
 * [1] and theta.* with adapters. Output: prediction.
 */
export function denoiseGraph(
  config: UnetConfig,
  options: DenoiseOptions,
): { graph: Graph; packs: readonly Pack[] } {
  const { shape, contextLength, guided, rescaled, rankOf, weightType, largestBytes } = options;
  const { computeType = 'float32', weightBits } = options;
  const [n] = shape;
  const b = new GraphBuilder('UNet');
  const sample = b.input('sample', 'float32', shape);
  const scaled = mul(b, sample, b.input('inputScale', 'float32', [1]));
  const time = b.input('time', 'float32', [1, config.block_out_channels[0]!]);
  const context = b.input('context', 'float32', [
    guided ? 2 * n : n,
    contextLength,
    config.cross_attention_dim,
  ]);
  const lora =
    rankOf && new Lora(rankOf, cast(b, b.input('strength', 'float32', [1]), computeType), computeType);
  const scope = rootScope(b, 'unet', { lora, weightType, weightBits, computeType, largestBytes });
  const output = unet(scope, config, {
    sample: guided ? concat(b, [scaled, scaled], 0) : scaled,
    time,
    context,
    ...(config.time_cond_proj_dim
      ? { timeCondition: b.input('timeCondition', 'float32', [1, config.time_cond_proj_dim]) }
      : {}),
  });
  const prediction = guided ? guide(b, output, n, rescaled) : output;
  const graph = b.finish({ prediction });
  const packs = loraPacks(lora?.modules ?? [], computeType);
  return { graph: packAdapters(graph, packs), packs };
}

/** uncond + guidance · (cond − uncond), then the rescale. */
function guide(b: GraphBuilder, output: Value, n: number, rescaled: boolean): Value {
  const unconditional = slice(b, output, 0, 0, n);
  const conditional = slice(b, output, 0, n, 2 * n);
  const guidance = b.input('guidance', 'float32', [1]);
  const guided = add(b, unconditional, mul(b, sub(b, conditional, unconditional), guidance));
  if (!rescaled) return guided;
  const spread = div(b, deviation(b, conditional), deviation(b, guided)); // the n − 1 of torch.std cancels
  const ratio = b.input('rescale', 'float32', [1]);
  return mul(b, guided, add(b, mul(b, ratio, spread), sub(b, b.scalar(1), ratio)));
}

/** Standard deviation of each sample, [n, 1, 1, 1]. */
function deviation(b: GraphBuilder, x: Value): Value {
  const centred = sub(b, x, reduceMean(b, x, [1, 2, 3]));
  return sqrt(b, reduceMean(b, mul(b, centred, centred), [1, 2, 3]));
}

/** latents (scaled, as the UNet sees them) [n, c, h, w] → picture [n, 3, H, W], nearly in [-1, 1]. */
export function decodeGraph(
  vae: AutoencoderConfig,
  shape: LatentShape,
  options: Omit<ScopeOptions, 'lora'> = {},
): Graph {
  const b = new GraphBuilder('VAE decoder');
  const { scaling_factor: factor, shift_factor: shift } = vae.config;
  let latents = scale(b, b.input('latents', 'float32', shape), 1 / factor);
  if (shift !== 0) latents = add(b, latents, b.scalar(shift));
  const scope = rootScope(b, 'vae', options);
  const picture =
    vae.kind === 'AutoencoderTiny'
      ? decodeTiny(scope, vae.config, latents)
      : decodeKl(scope, vae.config, latents);
  return b.finish({ picture });
}

/**
 * picture [n, 3, H, W] in [-1, 1] → latents as the UNet sees them: "mean" (scaled), and for AutoencoderKL "deviation" (scaled),
 * so that the posterior can be sampled again at every step.
 */
export function encodeGraph(
  vae: AutoencoderConfig,
  shape: readonly [number, 3, number, number],
  options: Pick<ScopeOptions, 'weightType' | 'largestBytes'> = {},
): Graph {
  const b = new GraphBuilder('VAE encoder');
  const picture = b.input('picture', 'float32', shape);
  const scope = rootScope(b, 'vae', options);
  const { scaling_factor: factor, shift_factor: shift } = vae.config;
  const scaled = (latents: Value) =>
    scale(b, shift === 0 ? latents : sub(b, latents, b.scalar(shift)), factor);
  if (vae.kind === 'AutoencoderTiny')
    return b.finish({ mean: scaled(encodeTiny(scope, vae.config, picture)) });
  const { mean, logVariance } = encodeKl(scope, vae.config, picture);
  const clipped = b.node('Min', [b.node('Max', [logVariance, b.scalar(-30)], {}), b.scalar(20)], {});
  const std = b.node('Exp', [scale(b, clipped, 0.5)], {});
  return b.finish({ mean: scaled(mean), deviation: scale(b, std, factor) });
}

/** kept + mask · (drawn − kept), with mask [n, 1, h, w] and the others of `shape`: inpainting. Output: blended. */
export function blendGraph(shape: LatentShape): Graph {
  const b = new GraphBuilder('inpainting');
  const [n, , h, w] = shape;
  const mask = b.input('mask', 'float32', [n, 1, h, w]);
  const [drawn, kept] = [b.input('drawn', 'float32', shape), b.input('kept', 'float32', shape)];
  return b.finish({ blended: add(b, kept, mul(b, mask, sub(b, drawn, kept))) });
}

/** Σ cᵢ·xᵢ over `count` tensors x0, x1, … of `shape` with coefficients c0, c1, … [1]: the update of every sampler. Output: sum. */
export function linearGraph(count: number, shape: LatentShape): Graph {
  const b = new GraphBuilder('linear combination');
  const terms = Array.from({ length: count }, (_, i) =>
    mul(b, b.input(`x${i}`, 'float32', shape), b.input(`c${i}`, 'float32', [1])),
  );
  return b.finish({ sum: terms.reduce((sum, term) => add(b, sum, term)) });
}
