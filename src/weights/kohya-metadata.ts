// The metadata that kohya's trainer leaves in a LoRA file (ss_*, sd-scripts train_network.py) and modelspec.* (Stability's
// model metadata specification 1.0.1). Tools show it and fill in the trigger word from it. Values are strings, as Python writes them.

export type LoraTraining = {
  readonly name: string; // of the subject; also the title
  readonly modelName: string;
  readonly baseModelVersion: string; // 'sd_v1', 'sd_v2_v'; another word for a base that kohya does not know
  readonly architecture: string; // 'stable-diffusion-v1/lora'
  readonly predictionType: 'epsilon' | 'v';
  readonly resolution: number; // pixels of a side
  readonly rank: number;
  readonly alpha: number;
  readonly trainsConvolutions: boolean; // 3 × 3 too, which kohya calls conv_dim
  readonly trainsTextEncoder: boolean;
  readonly step: number; // finished
  readonly steps: number; // planned
  readonly learningRate: number;
  readonly lrScheduler: string;
  readonly lrWarmupSteps: number;
  readonly batchSize: number;
  readonly maxGradNorm: number;
  readonly weightDecay: number;
  readonly flip: boolean;
  readonly priorLossWeight: number;
  readonly seed: number;
  readonly subjectWord: string;
  readonly className: string;
  readonly captions: readonly string[]; // one per photo
  readonly classImages: number; // 0 = without prior preservation
  readonly startedAt: number; // ms since 1970
  readonly endedAt: number;
};

const pythonBoolean = (value: boolean) => (value ? 'True' : 'False');

/** What writeKohya takes as metadata. No file names and nothing of the machine goes into it. */
export function kohyaMetadata(training: LoraTraining): Record<string, string> {
  const { rank, alpha, steps, step, captions, classImages, resolution } = training;
  const trigger = `${training.subjectWord} ${training.className}`.trim();
  const batches = Math.max(1, Math.ceil(captions.length / training.batchSize));
  const textEncoderLr = training.trainsTextEncoder ? String(training.learningRate) : 'None';
  const convolutions = { conv_dim: String(rank), conv_alpha: String(alpha) };
  return {
    ss_v2: pythonBoolean(training.baseModelVersion.startsWith('sd_v2')),
    ss_base_model_version: training.baseModelVersion,
    ss_sd_model_name: training.modelName,
    ss_network_module: 'networks.lora',
    ss_network_dim: String(rank),
    ss_network_alpha: String(alpha),
    ss_network_args: JSON.stringify(training.trainsConvolutions ? convolutions : {}),
    ss_output_name: training.name,
    ss_training_started_at: String(training.startedAt / 1000),
    ss_training_finished_at: String(training.endedAt / 1000),
    ss_learning_rate: String(training.learningRate),
    ss_unet_lr: String(training.learningRate),
    ss_text_encoder_lr: textEncoderLr,
    ss_lr_scheduler: training.lrScheduler,
    ss_lr_warmup_steps: String(training.lrWarmupSteps),
    ss_optimizer: `torch.optim.adamw.AdamW(weight_decay=${training.weightDecay})`,
    ss_max_grad_norm: String(training.maxGradNorm),
    ss_steps: String(step),
    ss_max_train_steps: String(steps),
    ss_num_train_images: String(captions.length),
    ss_num_reg_images: String(classImages),
    ss_num_batches_per_epoch: String(batches),
    ss_num_epochs: String(Math.ceil(steps / batches)),
    ss_epoch: String(Math.ceil(step / batches)),
    ss_gradient_accumulation_steps: '1',
    ss_gradient_checkpointing: 'False',
    ss_mixed_precision: 'no',
    ss_full_fp16: 'False',
    ss_clip_skip: 'None',
    ss_cache_latents: 'True',
    ss_seed: String(training.seed),
    ss_noise_offset: 'None',
    ss_min_snr_gamma: 'None',
    ss_caption_dropout_rate: '0.0',
    ss_prior_loss_weight: String(training.priorLossWeight),
    ss_datasets: JSON.stringify([datasetOf(training, trigger)]),
    ss_dataset_dirs: JSON.stringify({ [`1_${trigger}`]: { n_repeats: 1, img_count: captions.length } }),
    ss_reg_dataset_dirs: JSON.stringify(
      classImages > 0 ? { [`1_${training.className}`]: { n_repeats: 1, img_count: classImages } } : {},
    ),
    ss_tag_frequency: JSON.stringify({ [`1_${trigger}`]: tagFrequency(captions) }),
    'modelspec.sai_model_spec': '1.0.1',
    'modelspec.architecture': training.architecture,
    'modelspec.implementation': 'diffusers',
    'modelspec.title': training.name,
    'modelspec.resolution': `${resolution}x${resolution}`,
    'modelspec.date': new Date(training.endedAt).toISOString().slice(0, 19),
    'modelspec.prediction_type': training.predictionType,
    'modelspec.trigger_phrase': trigger,
  };
}

function datasetOf(training: LoraTraining, trigger: string) {
  const { captions, classImages, className, resolution } = training;
  const subset = (count: number, tokens: string, isReg: boolean) => ({
    img_count: count,
    num_repeats: 1,
    color_aug: false,
    flip_aug: training.flip,
    random_crop: false,
    shuffle_caption: false,
    keep_tokens: 0,
    image_dir: `1_${tokens}`,
    class_tokens: tokens,
    is_reg: isReg,
  });
  const subsets = [subset(captions.length, trigger, false)];
  if (classImages > 0) subsets.push(subset(classImages, className, true));
  return {
    is_dreambooth: true,
    batch_size_per_device: training.batchSize,
    num_train_images: captions.length,
    num_reg_images: classImages,
    resolution: [resolution, resolution],
    enable_bucket: false,
    subsets,
  };
}

// How often each comma-separated part stands in a caption; tools list the commonest as "trained words".
function tagFrequency(captions: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const caption of captions) {
    for (const tag of caption.split(',').map((part) => part.trim())) {
      if (tag !== '') counts.set(tag, (counts.get(tag) ?? 0) + 1);
    }
  }
  return Object.fromEntries(counts);
}
