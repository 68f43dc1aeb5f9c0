// The stages of a run, in words.
import type { TrainingProgress } from '../state/training-state';

export const stageNames: Readonly<Record<TrainingProgress['stage'], string>> = {
  load: 'Loading the weights',
  photos: 'Encoding the photos',
  captions: 'Reading the captions',
  'class-images': 'Drawing pictures of the class',
  compile: 'Compiling the training graphs',
  train: 'Training',
};
