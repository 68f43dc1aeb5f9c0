// What a model has to say of itself when its weights come alone, in one file: the configs of its diffusers folder, restated.

export type Preset = {
  readonly name: string;
  readonly resolution: number; // pixels of a side that the model was trained for
  /** The contents of the config.json files, and of scheduler_config.json, for the same parsers. */
  readonly unet: object;
  readonly textEncoder: object;
  readonly vae: object;
  readonly scheduler: { readonly prediction_type: string };
  /** special_tokens_map.json; the vocabulary is CLIP's own. */
  readonly specialTokens: object;
};
