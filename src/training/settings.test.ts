import { expect, test } from 'vitest';
import { checkSettings, recipes, settingRanges, type TrainingSettings } from './settings';

const { standard } = recipes();

test('every recipe is within the ranges, also with what a model advises', () => {
  for (const settings of Object.values(recipes({ learningRate: 1e-3 }))) {
    expect(settings.learningRate).toBe(1e-3);
    expect(() => {
      checkSettings(settings);
    }).not.toThrow();
  }
});

test('the quick recipe draws 8 class pictures in 12 steps, and longer recipes more', () => {
  const { quick, thorough } = recipes();
  expect([quick.classImages, quick.classImageSteps]).toEqual([8, 12]);
  expect([quick.steps, standard.steps, thorough.steps]).toEqual([150, 400, 1000]);
  expect([quick.lrScheduler, standard.lrScheduler, thorough.lrScheduler]).toEqual([
    'cosine',
    'cosine',
    'cosine',
  ]);
  for (const { priorPreservation, trainTextEncoder } of [quick, standard, thorough])
    expect([priorPreservation, trainTextEncoder]).toEqual([true, false]);
});

test.each(Object.entries(settingRanges))('%s is taken at its ends and refused beyond', (name, range) => {
  const [lowest, highest, isWhole] = range;
  const check = (value: number) => () => {
    const settings: TrainingSettings = { ...standard, [name]: value };
    checkSettings(settings);
  };
  const refusal = (value: number): unknown =>
    expect.objectContaining({
      code: 'bad-settings',
      details: { setting: name, reason: `between ${lowest} and ${highest}`, value },
    });
  for (const value of [lowest, highest]) expect(check(value)).not.toThrow();
  const beyond = isWhole ? 1 : 1e-9;
  for (const value of [lowest - beyond, highest + beyond]) expect(check(value)).toThrow(refusal(value));
  expect(check(NaN)).toThrow(expect.objectContaining({ code: 'bad-settings' }));
  if (isWhole) expect(check(lowest + 0.5)).toThrow(refusal(lowest + 0.5));
});
