// LoRA on any linear or convolution layer: y = W x + B (A x) (Hu et al. 2021). The matrices are graph inputs while the model is
// built; packing.ts later cuts them out of one flat vector for each block.
import type { GraphBuilder } from '../onnx/builder';
import { blockOf, type FloatType, type Shape, type Value } from '../onnx/graph';

export type LayerKind = 'linear' | 'conv';

/** One adapted layer. The scale alpha / rank is 1 for what we train, and folded into `up` for what we import. */
export type LoraModule = {
  readonly module: string; // "unet.mid_block.attentions.0.proj_in"
  readonly segment: string; // the block of the model
  readonly rank: number;
  readonly down: Shape; // A: [r, in] or [r, in, kh, kw]
  readonly up: Shape; // B: [out, r] or [out, r, 1, 1]
};

export type AdaptedLayer = { readonly down: Value; readonly up: Value; readonly strength: Value | undefined };

/** Chooses the rank of each layer's adapter; 0 leaves the layer alone. */
export type RankOf = (module: string, kind: LayerKind, weight: Shape) => number;

/** Hands out adapters while a model is built and remembers which layers took one. */
export class Lora {
  readonly modules: LoraModule[] = [];
  readonly #rankOf: RankOf;
  readonly #strength: Value | undefined;
  readonly #type: FloatType;

  /** `strength`: a [1] value that scales every adapter (sampling); undefined means 1 (training). It and the matrices are of `type`. */
  constructor(rankOf: RankOf, strength?: Value, type: FloatType = 'float32') {
    this.#rankOf = rankOf;
    this.#strength = strength;
    this.#type = type;
  }

  /** The adapter of `module`, whose weight has the given shape; undefined when it has none. */
  adapt(b: GraphBuilder, module: string, weight: Shape): AdaptedLayer | undefined {
    const kind = weight.length === 4 ? 'conv' : 'linear';
    const rank = this.#rankOf(module, kind, weight);
    if (rank === 0) return undefined;
    const [out, ...rest] = weight as readonly [number, ...number[]];
    const down = [rank, ...rest];
    const up = kind === 'conv' ? [out, rank, 1, 1] : [out, rank];
    this.modules.push({ module, segment: blockOf(b.currentSegment), rank, down, up });
    const [a, z] = loraInputNames(module);
    return {
      down: b.input(a, this.#type, down),
      up: b.input(z, this.#type, up),
      strength: this.#strength,
    };
  }
}

/** The names of a module's two matrices, as PEFT has them: A (down) and B (up). */
export const loraInputNames = (module: string): readonly [string, string] => [
  `${module}.lora_A.weight`,
  `${module}.lora_B.weight`,
];

const attentionLayers = /\.(to_q|to_k|to_v|to_out\.0|q_proj|k_proj|v_proj|out_proj)$/;
const projectionLayers = /\.(proj_in|proj_out|ff\.net\.0\.proj|ff\.net\.2|fc1|fc2)$/;

/**
 * Which layers a named choice adapts: 'attention' is diffusers' default (to_q, to_k, to_v, to_out.0), with projections it is
 * kohya's LoRA (every linear and 1×1 layer of the transformer blocks), and 'all-layers' adds the ResNet convolutions (LoCon).
 */
export const loraTargets = {
  attention: (module: string): boolean => attentionLayers.test(module),
  'attention-and-projections': (module: string): boolean =>
    attentionLayers.test(module) || projectionLayers.test(module),
  'all-layers': (module: string): boolean =>
    attentionLayers.test(module) ||
    projectionLayers.test(module) ||
    /\.(conv1|conv2|conv_shortcut|downsamplers\.0\.conv|upsamplers\.0\.conv)$/.test(module),
} as const;
