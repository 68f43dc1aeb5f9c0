// Against diffusers' schedules, step by step.
import { describe, expect, test } from 'vitest';
import { readFixture } from '../models/testing/fixture';
import { learningRateAt } from './learning-rate';

type Name = 'constant' | 'constant_with_warmup' | 'cosine' | 'cosine_with_warmup';
type Fixture = {
  readonly config: { readonly learning_rate: number; readonly steps: number; readonly warmup: number };
  readonly outputs: Readonly<Record<Name, readonly number[]>>;
};

const { config, outputs } = readFixture<Fixture>(import.meta.dirname, 'lr-schedules');

describe('the learning rate of every step', () => {
  test.each([
    ['constant', 'constant', 0],
    ['constant_with_warmup', 'constant', config.warmup],
    ['cosine', 'cosine', 0],
    ['cosine_with_warmup', 'cosine', config.warmup],
  ] as const)('%s', (name, schedule, warmupSteps) => {
    const { steps, learning_rate: learningRate } = config;
    const options = { schedule, learningRate, warmupSteps, steps };
    const rates = Array.from({ length: steps }, (_, step) => learningRateAt(step, options));
    if (schedule === 'constant') return expect(rates).toEqual(outputs[name]);
    expect(rates).toHaveLength(steps); // the cosine itself may differ in the last bit
    const difference = rates.map((rate, step) => Math.abs(rate - outputs[name][step]!));
    expect(Math.max(...difference)).toBeLessThanOrEqual(learningRate * Number.EPSILON);
  });
});
