// What every LoRA file format says in the end: for each changed layer two matrices and a scale, ΔW = (alpha / rank) · up · down.
// Layers are named by component and path, as in a diffusers pipeline.

export type LoraMatrix = { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> };

export type LoraModule = {
  /** "unet.down_blocks.0.attentions.0.proj_in" or "text_encoder.text_model.encoder.layers.0.self_attn.q_proj" */
  readonly module: string;
  readonly rank: number;
  readonly alpha: number;
  readonly down: LoraMatrix; // [rank, in], of a convolution [rank, in, kh, kw]
  readonly up: LoraMatrix; // [out, rank], of a convolution [out, rank, 1, 1]
};

export type LoraPart = 'down' | 'up' | 'alpha';

/** A tensor name of a LoRA file, understood. `path` starts with the component; kohya's has "_" for every ".". */
export type LoraKey = { readonly path: string; readonly part: LoraPart };

/** `path` with its component in front: keys of single-model files ("down_blocks.0…", "text_model.encoder…") leave it out. */
export function withComponent(path: string): string {
  if (/^(unet|text_encoder)\./.test(path)) return path;
  return (/^(text_model|encoder\.layers)\./.test(path) ? 'text_encoder.' : 'unet.') + path;
}

/**
 * One spelling for every format: "." as "_" (kohya's names cannot be told apart otherwise), and the text encoder without
 * the `text_model` level, which transformers 5 dropped and older files have.
 */
export function flatPath(path: string): string {
  return path.replaceAll('.', '_').replace(/^text_encoder_text_model_/, 'text_encoder_');
}
