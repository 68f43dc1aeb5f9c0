// Says what a safetensors file is when it is not a LoRA that this page can use, from the names of its tensors.

const notALora: readonly (readonly [RegExp, string])[] = [
  [
    /^(model\.diffusion_model|first_stage_model|cond_stage_model|conditioner)\./,
    'it is a whole model in one file, not a LoRA',
  ],
  [/^(control_model\.|controlnet_cond_embedding\.)/, 'it is a ControlNet, not a LoRA'],
  [/^(string_to_param|emb_params|emp_params|clip_[lg])$/, 'it is a textual inversion embedding, not a LoRA'],
  [/^(conv_in|time_embedding\.linear_1)\.weight$/, 'it is the UNet of a model, not a LoRA'],
  [/^(encoder|decoder)\.(conv_in|layers\.0)\.weight$/, 'it is the image autoencoder of a model, not a LoRA'],
  [/^(text_model\.)?embeddings\.token_embedding\.weight$/, 'it is the text encoder of a model, not a LoRA'],
];

const otherLoras: readonly (readonly [RegExp, string])[] = [
  [/^lora_unet_(double|single)_blocks_/, 'it is a LoRA for Flux'],
  [/(^|\.)(double_blocks|single_blocks|single_transformer_blocks)\./, 'it is a LoRA for Flux'],
  [/^(lora_)?transformer[._]/, 'it is a LoRA for a transformer model such as Flux or Stable Diffusion 3'],
  [/^diffusion_model\./, 'it is a LoRA for a transformer model such as Flux or Stable Diffusion 3'],
  [/^lora_te[23]_|^text_encoder_2\./, 'it is a LoRA for Stable Diffusion XL'],
  [/^lora_unet_(input_blocks|middle_block|output_blocks)_/, 'it is a LoRA for Stable Diffusion XL'],
  [/^(unet|text_encoder):\d+:/, 'it is in cloneofsimo’s LoRA format, which this page does not read'],
  [/\.(dora_scale|lora_magnitude_vector)/, 'it holds DoRA weights, which this page cannot use'],
  [/\.hada_w/, 'it holds LoHa weights, which this page cannot use'],
  [/\.lokr_w/, 'it holds LoKr weights, which this page cannot use'],
  [/\.(oft_blocks|oft_diag|oft_R)\b/, 'it holds OFT weights, which this page cannot use'],
  [/\.lora_mid\./, 'it holds Tucker-decomposed convolutions, which this page cannot use'],
];

/** The reason to refuse a file with these tensor names, or undefined where nothing speaks against it. */
export function describeForeign(names: readonly string[]): string | undefined {
  const isLora = names.some((name) => name.includes('lora') || /^(unet|text_encoder):\d+:/.test(name));
  for (const [pattern, reason] of isLora ? otherLoras : [...notALora, ...otherLoras]) {
    if (names.some((name) => pattern.test(name))) return reason;
  }
  if (isLora) return undefined;
  // diffusers' embeddings have one tensor, named by their token
  return names.length === 1 ? 'it is a textual inversion embedding, not a LoRA' : 'it is not a LoRA';
}
