import { describe, expect, test } from 'vitest';
import type { AppError } from '../base/errors';
import { parseSchedule } from '../diffusion/schedule';
import { batchAt, evaluationBatchAt, evaluationRounds, type Batch, type DreamboothData } from './batch';
import { dreambooth, type DreamboothEvent, type Progress, type Trainer } from './dreambooth';
import { recipes, type TrainingSettings } from './settings';

const schedule = parseSchedule({ prediction_type: 'v_prediction' });
const latents = (value: number) => ({ mean: Float32Array.of(value, value), deviation: undefined });
const caption = { context: Float32Array.of(1) };
const data: DreamboothData = {
  photos: [1, 2, 3].map((value) => ({ plain: latents(value), mirrored: latents(-value), caption })),
  classImages: [latents(9)],
  classCaption: caption,
};
const settings: TrainingSettings = {
  ...recipes().standard,
  steps: 5,
  checkpointEvery: 2,
  previewEvery: 4,
  evaluateEvery: 3,
  lrScheduler: 'constant',
  learningRate: 0.1,
};
const untrained: Progress = { step: 0, losses: [] };

type Fake = Trainer & {
  readonly log: string[];
  readonly batches: Batch[];
  readonly evaluated: Batch[];
  readonly rates: number[];
  readonly saved: { step: number; losses: readonly number[] }[];
};

/** A trainer that writes down what it is asked for; its clock goes a second a step. */
function fakeTrainer(lossOf: (step: number) => number = (step) => 1 / step): Fake {
  let clock = 0;
  const fake: Fake = {
    log: [],
    batches: [],
    evaluated: [],
    rates: [],
    saved: [],
    step: (batch, { step, learningRate }) => {
      fake.log.push(`step ${step}`);
      fake.batches.push(batch);
      fake.rates.push(learningRate);
      clock += 1000;
      return Promise.resolve({ loss: lossOf(step), gradNorm: 2 });
    },
    evaluate: (batch) => {
      fake.evaluated.push(batch);
      return Promise.resolve(fake.evaluated.length);
    },
    save: (step, losses) => {
      fake.log.push(`save ${step}`);
      fake.saved.push({ step, losses: [...losses] });
      return Promise.resolve();
    },
    preview: (step) => {
      fake.log.push(`preview ${step}`);
      return Promise.resolve(new Blob([String(step)]));
    },
    now: () => clock,
  };
  return fake;
}

type Run = {
  readonly events: DreamboothEvent[];
  readonly result: Progress | undefined;
  readonly error: unknown;
};

/** Runs the loop to its end; `onEvent` sees each event before the loop goes on. */
async function run(
  trainer: Trainer,
  options: {
    settings?: TrainingSettings;
    from?: Progress;
    signal?: AbortSignal;
    onEvent?: (event: DreamboothEvent) => void;
  } = {},
): Promise<Run> {
  const signal = options.signal ?? new AbortController().signal;
  const job = dreambooth(
    data,
    schedule,
    options.settings ?? settings,
    trainer,
    options.from ?? untrained,
    signal,
  );
  const events: DreamboothEvent[] = [];
  try {
    for (;;) {
      const next = await job.next();
      if (next.done) return { events, result: next.value, error: undefined };
      events.push(next.value);
      options.onEvent?.(next.value);
    }
  } catch (error) {
    return { events, result: undefined, error };
  }
}

const brief = (events: readonly DreamboothEvent[]) => events.map(({ kind, step }) => `${kind} ${step}`);

describe('a whole run', () => {
  test('tells everything in order: a checkpoint before what is drawn or measured at the same step', async () => {
    const { events, result } = await run(fakeTrainer());
    expect(brief(events)).toEqual([
      'evaluation-end 0',
      'preview-ready 0',
      'step-end 1',
      'step-end 2',
      'checkpoint-saved 2',
      'step-end 3',
      'evaluation-end 3',
      'step-end 4',
      'checkpoint-saved 4',
      'preview-ready 4',
      'step-end 5',
      'checkpoint-saved 5',
      'evaluation-end 5',
      'preview-ready 5',
    ]);
    expect(result).toEqual({ step: 5, losses: [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5] });
  });

  test('a step is told with its numbers', async () => {
    const { events } = await run(fakeTrainer());
    expect(events.find(({ kind, step }) => kind === 'step-end' && step === 4)).toEqual({
      kind: 'step-end',
      step: 4,
      loss: 1 / 4,
      gradNorm: 2,
      learningRate: 0.1,
      secondsPerStep: 1,
    });
  });

  test('takes the batches of its steps and the evaluation set', async () => {
    const trainer = fakeTrainer();
    const { events } = await run(trainer);
    expect(trainer.batches).toEqual([0, 1, 2, 3, 4].map((step) => batchAt(data, schedule, settings, step)));
    const set = Array.from({ length: evaluationRounds }, (_, round) =>
      evaluationBatchAt(data, schedule, settings, round),
    );
    expect(trainer.evaluated).toEqual([...set, ...set, ...set]);
    const losses = events.flatMap((event) => (event.kind === 'evaluation-end' ? [event.loss] : []));
    expect(losses).toEqual([2.5, 6.5, 10.5]); // means of 1 to 4, 5 to 8, 9 to 12
  });

  test('saves the losses so far with each checkpoint, the last step always', async () => {
    const trainer = fakeTrainer();
    await run(trainer);
    expect(trainer.saved).toEqual([
      { step: 2, losses: [1, 1 / 2] },
      { step: 4, losses: [1, 1 / 2, 1 / 3, 1 / 4] },
      { step: 5, losses: [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5] },
    ]);
  });

  test('has neither previews nor evaluations where they are off', async () => {
    const { events } = await run(fakeTrainer(), {
      settings: { ...settings, previewEvery: 0, evaluateEvery: 0 },
    });
    expect(new Set(events.map(({ kind }) => kind))).toEqual(new Set(['step-end', 'checkpoint-saved']));
  });

  test('follows the learning rate schedule', async () => {
    const trainer = fakeTrainer();
    await run(trainer, { settings: { ...settings, lrScheduler: 'cosine', lrWarmupSteps: 1 } });
    const expected = [0, ...[0, 1, 2, 3].map((i) => 0.05 * (1 + Math.cos((Math.PI * i) / 4)))];
    trainer.rates.forEach((rate, i) => {
      expect(rate).toBeCloseTo(expected[i]!, 12);
    });
  });
});

describe('a resumed run', () => {
  test('takes the batches that the unbroken one takes, and keeps its losses', async () => {
    const whole = fakeTrainer();
    const { result } = await run(whole);
    const rest = fakeTrainer();
    const resumed = await run(rest, { from: { step: 2, losses: [1, 1 / 2] } });
    expect(rest.batches).toEqual(whole.batches.slice(2));
    expect(resumed.result).toEqual(result);
    expect(brief(resumed.events).slice(0, 2)).toEqual(['step-end 3', 'evaluation-end 3']);
    expect(rest.saved.at(-1)).toEqual(whole.saved.at(-1));
  });

  test('at its last step has nothing to do', async () => {
    const trainer = fakeTrainer();
    const from = { step: 5, losses: [1, 2, 3, 4, 5] };
    expect(await run(trainer, { from })).toEqual({ events: [], result: from, error: undefined });
    expect(trainer.log).toEqual([]);
  });
});

describe('an abort', () => {
  const abortAt = async (kind: DreamboothEvent['kind'], step: number) => {
    const trainer = fakeTrainer();
    const stop = new AbortController();
    const onEvent = (event: DreamboothEvent) => {
      if (event.kind === kind && event.step === step) stop.abort();
    };
    return { trainer, ...(await run(trainer, { signal: stop.signal, onEvent })) };
  };

  test('saves the steps done, then rejects', async () => {
    const { trainer, events, error } = await abortAt('step-end', 3);
    expect(error).toMatchObject({ name: 'AbortError' });
    expect(brief(events).slice(-3)).toEqual(['step-end 3', 'evaluation-end 3', 'checkpoint-saved 3']);
    expect(trainer.saved.at(-1)).toEqual({ step: 3, losses: [1, 1 / 2, 1 / 3] });
  });

  test('at a step that is saved anyway saves once and draws nothing more', async () => {
    const { trainer, error } = await abortAt('step-end', 4);
    expect(error).toMatchObject({ name: 'AbortError' });
    expect(trainer.log.slice(-3)).toEqual(['step 3', 'step 4', 'save 4']);
  });

  test('before the first step saves nothing', async () => {
    const { trainer, error } = await abortAt('evaluation-end', 0);
    expect(error).toMatchObject({ name: 'AbortError' });
    expect(trainer.log).toEqual([]);
  });

  test('after the last step is too late: the run is whole', async () => {
    const { trainer, result, error } = await abortAt('step-end', 5);
    expect(error).toBeUndefined();
    expect(result!.step).toBe(5);
    expect(trainer.log.at(-1)).toBe('save 5');
  });
});

test('a loss or gradient that is no number ends the run, and nothing of it is saved', async () => {
  const trainer = fakeTrainer((step) => (step === 4 ? NaN : 1));
  const { error, events } = await run(trainer);
  expect(error).toMatchObject({ code: 'not-finite', details: { step: 4 } } satisfies Partial<AppError>);
  expect(trainer.saved.map(({ step }) => step)).toEqual([2]);
  expect(brief(events)).not.toContain('step-end 4');

  const exploding = fakeTrainer();
  const step: Trainer['step'] = async (batch, update) => ({
    ...(await exploding.step(batch, update)),
    gradNorm: Infinity,
  });
  expect((await run({ ...exploding, step })).error).toMatchObject({
    code: 'not-finite',
    details: { step: 1 },
  });
  expect(exploding.saved).toEqual([]);
});
