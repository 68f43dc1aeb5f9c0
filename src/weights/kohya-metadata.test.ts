import { expect, test } from 'vitest';
import { kohyaMetadata, type LoraTraining } from './kohya-metadata';

const training: LoraTraining = {
  name: 'my dog',
  modelName: 'Stable Diffusion 1.5',
  baseModelVersion: 'sd_v1',
  architecture: 'stable-diffusion-v1/lora',
  predictionType: 'epsilon',
  resolution: 512,
  rank: 16,
  alpha: 8,
  trainsConvolutions: false,
  trainsTextEncoder: false,
  step: 90,
  steps: 400,
  learningRate: 1e-4,
  lrScheduler: 'constant',
  lrWarmupSteps: 0,
  batchSize: 2,
  maxGradNorm: 1,
  weightDecay: 0.01,
  flip: true,
  priorLossWeight: 1,
  seed: 7,
  subjectWord: 'sks',
  className: 'dog',
  captions: ['a photo of sks dog', 'a photo of sks dog, on grass', 'on grass'],
  classImages: 24,
  startedAt: 1_700_000_000_500,
  endedAt: 1_700_000_060_000,
};

test('says what kohya’s trainer would have said', () => {
  const metadata = kohyaMetadata(training);
  expect(metadata).toMatchObject({
    ss_v2: 'False',
    ss_base_model_version: 'sd_v1',
    ss_network_module: 'networks.lora',
    ss_network_dim: '16',
    ss_network_alpha: '8',
    ss_network_args: '{}',
    ss_steps: '90',
    ss_max_train_steps: '400',
    ss_learning_rate: '0.0001',
    ss_text_encoder_lr: 'None',
    ss_seed: '7',
    ss_num_train_images: '3',
    ss_num_reg_images: '24',
    ss_num_batches_per_epoch: '2',
    ss_num_epochs: '200',
    ss_epoch: '45',
    ss_training_started_at: '1700000000.5',
    ss_training_finished_at: '1700000060',
    ss_dataset_dirs: '{"1_sks dog":{"n_repeats":1,"img_count":3}}',
    ss_reg_dataset_dirs: '{"1_dog":{"n_repeats":1,"img_count":24}}',
    ss_tag_frequency: '{"1_sks dog":{"a photo of sks dog":2,"on grass":2}}',
    'modelspec.sai_model_spec': '1.0.1',
    'modelspec.architecture': 'stable-diffusion-v1/lora',
    'modelspec.title': 'my dog',
    'modelspec.resolution': '512x512',
    'modelspec.date': '2023-11-14T22:14:20',
    'modelspec.prediction_type': 'epsilon',
    'modelspec.trigger_phrase': 'sks dog',
  });
  expect(Object.values(metadata).every((value) => typeof value === 'string')).toBe(true);
  expect(JSON.parse(metadata['ss_datasets']!)).toMatchObject([
    {
      resolution: [512, 512],
      subsets: [
        { img_count: 3, is_reg: false },
        { img_count: 24, is_reg: true },
      ],
    },
  ]);
});

test('follows what was trained', () => {
  const metadata = kohyaMetadata({
    ...training,
    baseModelVersion: 'sd_v2_v',
    trainsConvolutions: true,
    trainsTextEncoder: true,
    classImages: 0,
    className: '',
  });
  expect(metadata).toMatchObject({
    ss_v2: 'True',
    ss_network_args: '{"conv_dim":"16","conv_alpha":"8"}',
    ss_text_encoder_lr: '0.0001',
    ss_reg_dataset_dirs: '{}',
    'modelspec.trigger_phrase': 'sks',
  });
  expect((JSON.parse(metadata['ss_datasets']!) as { subsets: unknown[] }[])[0]!.subsets).toHaveLength(1);
});
