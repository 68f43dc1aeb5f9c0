// Every training setting as the page shows it, by a table that the compiler keeps complete; and stored settings checked by it.
import type { ModelInfo, RecipeName, TrainingSettings } from '../engine/contract';
import type { RunSettings } from '../storage/runs';

type Key = keyof TrainingSettings;
type KeysOf<T> = { [K in Key]: TrainingSettings[K] extends T ? K : never }[Key];

export type NumberKey = KeysOf<number>;
type SwitchKey = KeysOf<boolean>;
type TextKey = 'previewPrompt';

type Words = { readonly label: string; readonly hint?: string };

/** How a setting is shown, by the kind of its value. */
export type SettingField<K extends Key = Key> = Words &
  (K extends NumberKey
    ? { readonly kind: 'number' }
    : K extends SwitchKey
      ? { readonly kind: 'switch' }
      : K extends TextKey
        ? { readonly kind: 'text' }
        : {
            readonly kind: 'choice';
            readonly options: Readonly<Record<TrainingSettings[K] & string, string>>;
          });

/** In the order of the page. */
export const settingFields: { readonly [K in Key]: SettingField<K> } = {
  steps: { kind: 'number', label: 'Steps', hint: 'How many times the weights are changed.' },
  learningRate: { kind: 'number', label: 'Learning rate', hint: 'How far one step goes.' },
  lrScheduler: {
    kind: 'choice',
    label: 'Learning rate schedule',
    options: { constant: 'Constant', cosine: 'Cosine, down to zero' },
  },
  lrWarmupSteps: {
    kind: 'number',
    label: 'Learning rate warm-up',
    hint: 'Steps until the full learning rate.',
  },
  rank: { kind: 'number', label: 'Rank', hint: 'Larger remembers more and makes a larger file.' },
  targets: {
    kind: 'choice',
    label: 'Trained layers',
    options: {
      attention: 'Attention',
      'attention-and-projections': 'Attention and projections',
      'all-layers': 'All layers',
    },
  },
  trainTextEncoder: { kind: 'switch', label: 'Train the text encoder too' },
  batchSize: { kind: 'number', label: 'Batch size', hint: 'Photos in one step.' },
  priorPreservation: {
    kind: 'switch',
    label: 'Prior preservation',
    hint: 'Also trains on pictures of the class that the model draws itself, so that it does not forget the others.',
  },
  priorLossWeight: { kind: 'number', label: 'Prior loss weight' },
  classImages: { kind: 'number', label: 'Class pictures', hint: 'Drawn once, before the first step.' },
  classImageSteps: { kind: 'number', label: 'Sampling of class pictures', hint: 'Sampler steps for each.' },
  flip: {
    kind: 'switch',
    label: 'Mirror photos at random',
    hint: 'Off for faces with a parting, text, logos.',
  },
  maxGradNorm: {
    kind: 'number',
    label: 'Gradient limit',
    hint: 'Longer gradients are shortened to this norm.',
  },
  weightDecay: { kind: 'number', label: 'Weight decay' },
  seed: { kind: 'number', label: 'Seed', hint: 'Same seed and settings, same run.' },
  checkpointEvery: { kind: 'number', label: 'Checkpoint interval', hint: 'In steps.' },
  previewEvery: { kind: 'number', label: 'Preview interval', hint: 'In steps; 0 draws none.' },
  evaluateEvery: { kind: 'number', label: 'Evaluation interval', hint: 'In steps; 0 is never.' },
  previewPrompt: { kind: 'text', label: 'Preview prompt', hint: 'Empty: the default caption.' },
  memoryTier: {
    kind: 'choice',
    label: 'Memory',
    options: {
      automatic: 'Automatic',
      fast: 'Fast: keeps all activations',
      balanced: 'Balanced: computes some twice',
      tight: 'Tight: holds as little as it can',
    },
  },
};

export const settingKeys = Object.keys(settingFields) as readonly Key[];

export const recipeLabels: Readonly<Record<RecipeName, { readonly label: string; readonly hint: string }>> = {
  quick: { label: 'Quick', hint: 'A first look.' },
  standard: { label: 'Standard', hint: 'A good likeness.' },
  thorough: { label: 'Thorough', hint: 'For hard subjects.' },
};

const recipeNames = Object.keys(recipeLabels) as readonly RecipeName[];

/** Settings that a person chooses beside a recipe: choosing one leaves them alone. */
const beside: ReadonlySet<Key> = new Set<Key>(['seed', 'previewPrompt', 'memoryTier']);

/** The recipe that these settings are, or undefined where a person changed one. */
export function recipeOf(settings: TrainingSettings, { recipes }: ModelInfo): RecipeName | undefined {
  return recipeNames.find((name) =>
    settingKeys.every((key) => beside.has(key) || recipes[name][key] === settings[key]),
  );
}

/** The settings of a recipe, with what stands beside it kept. */
export function withRecipe(
  settings: TrainingSettings,
  recipe: RecipeName,
  { recipes }: ModelInfo,
): TrainingSettings {
  const { seed, previewPrompt, memoryTier } = settings;
  return { ...recipes[recipe], seed, previewPrompt, memoryTier };
}

/** The number settings outside their range, which the engine would refuse. */
export function badSettings(settings: TrainingSettings, { settingRanges }: ModelInfo): readonly NumberKey[] {
  return (Object.keys(settingRanges) as (keyof typeof settingRanges)[]).filter((key) => {
    const [lowest, highest, isWhole] = settingRanges[key];
    const value = settings[key];
    return !(value >= lowest && value <= highest) || (isWhole && !Number.isInteger(value));
  });
}

/** Stored settings, if each one is there and of its kind; else undefined. */
export function parseSettings(stored: RunSettings): TrainingSettings | undefined {
  const isWhole = settingKeys.every((key) => {
    const field: SettingField = settingFields[key];
    const value = stored[key];
    if (field.kind === 'number') return typeof value === 'number';
    if (field.kind === 'switch') return typeof value === 'boolean';
    return typeof value === 'string' && (field.kind === 'text' || value in field.options);
  });
  return isWhole ? (stored as TrainingSettings) : undefined;
}
