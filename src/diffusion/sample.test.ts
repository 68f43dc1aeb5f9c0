import { expect, test } from 'vitest';
import type { SamplingPlan, SamplingStep } from './plan';
import { sample, type SampleBackend, type SampleStepEvent } from './sample';

// A tensor is one number in a box, so that identity and disposal can be watched.
type Box = { readonly value: number };

function watchedBackend(predict: (x: number, timestep: number) => number) {
  const live = new Set<Box>();
  const box = (value: number) => {
    const made = { value };
    live.add(made);
    return made;
  };
  const backend: SampleBackend<Box> = {
    predict: async (x, timestep, inputScale) => box(predict(x.value * inputScale, timestep)),
    linear: async (terms) => {
      for (const [, tensor] of terms) if (!live.has(tensor)) throw new Error('used after disposal');
      return box(terms.reduce((sum, [coefficient, tensor]) => sum + coefficient * tensor.value, 0));
    },
    blend: async (mask, drawn, kept) => {
      for (const tensor of [mask, drawn, kept]) if (!live.has(tensor)) throw new Error('used after disposal');
      return box(kept.value + mask.value * (drawn.value - kept.value));
    },
    noise: async (stepIndex) => box(100 * stepIndex),
    dispose: (tensor) => {
      if (!live.delete(tensor)) throw new Error('disposed twice');
    },
  };
  return { backend, live, box };
}

const plain: SamplingStep = {
  timestep: 1,
  inputScale: 1,
  x: 1,
  output: 1,
  noise: 0,
  denoised: { x: 2, output: 3 },
  noised: { x0: 1, noise: 0 },
};

const plan: SamplingPlan = {
  start: { x0: 0, noise: 2 },
  steps: [
    { ...plain, timestep: 30, inputScale: 0.5 },
    { ...plain, timestep: 20, noise: 1, history: [{ x: 0.5, output: 10 }] },
    {
      ...plain,
      timestep: 10,
      history: [
        { x: 0, output: 1 },
        { x: 7, output: 1000 },
      ],
    },
  ],
};

const never = new AbortController().signal;
const isPreviewDue = () => true;

test('a plan is carried out term by term, with noise, history and estimates', async () => {
  const { backend, live, box } = watchedBackend((x, timestep) => x + timestep);
  const noise = box(3);
  const job = sample(plan, backend, { noise, isPreviewDue }, never);
  const events: (Omit<SampleStepEvent<Box>, 'x0'> & { readonly x0: number | undefined })[] = [];
  let next = await job.next();
  for (; !next.done; next = await job.next()) events.push({ ...next.value, x0: next.value.x0?.value });
  // x: 6, then 6 + 33, then 39 + 59 + 100 + 10 · 33 + 6 / 2, then 531 + 541 + 59 + 1000 · 33 + 7 · 6
  expect(events).toEqual([
    { kind: 'step-end', step: 1, stepCount: 3, x0: 2 * 6 + 3 * 33 },
    { kind: 'step-end', step: 2, stepCount: 3, x0: 2 * 39 + 3 * 59 },
    { kind: 'step-end', step: 3, stepCount: 3, x0: undefined },
  ]);
  expect(next.value).toEqual({ value: 531 + 541 + 59 + 33000 + 42 });
  expect([...live]).toEqual([noise, next.value]);
});

test('image-to-image starts from the noised picture, and inpainting keeps it outside of the mask', async () => {
  const { backend, live, box } = watchedBackend((x) => x);
  const [noise, picture, mask] = [box(3), box(5), box(0.25)];
  const start = { x0: 2, noise: 1 };
  const steps = [plain, { ...plain, noised: { x0: 10, noise: 100 } }]; // x is doubled
  const run = async (request: { mask?: Box }) => {
    const job = sample({ start, steps }, backend, { noise, picture, ...request }, never);
    let next = await job.next();
    while (!next.done) next = await job.next();
    return next.value;
  };
  const whole = await run({});
  expect(whole.value).toBe(4 * (2 * 5 + 3));
  const painted = await run({ mask });
  const first = 0.25 * 26 + 0.75 * (10 * 5 + 100 * 3);
  expect(painted.value).toBe(0.25 * 2 * first + 0.75 * 5); // at the end the picture itself
  expect([...live]).toEqual([noise, picture, mask, whole, painted]);

  const withoutPicture = sample({ start, steps }, backend, { noise }, never).next();
  await expect(withoutPicture).rejects.toThrow('no picture');
});

test('estimates come only where they are due', async () => {
  const { backend, box } = watchedBackend((x) => x);
  const steps = Array.from({ length: 5 }, () => plain);
  const due: number[] = [];
  let asked = 0;
  const request = { noise: box(1), isPreviewDue: () => ++asked % 2 === 0 };
  for await (const event of sample({ start: { x0: 0, noise: 1 }, steps }, backend, request, never)) {
    if (event.x0 !== undefined) due.push(event.step);
  }
  expect(due).toEqual([2, 4]);
  expect(asked).toBe(4); // never of the last step
});

test('abort ends the loop before the next step and leaves nothing behind but the noise', async () => {
  const { backend, live, box } = watchedBackend((x) => x);
  const controller = new AbortController();
  const noise = box(1);
  let steps = 0;
  const run = async () => {
    for await (const event of sample(plan, backend, { noise, isPreviewDue }, controller.signal)) {
      steps = event.step;
      controller.abort();
    }
  };
  await expect(run()).rejects.toMatchObject({ name: 'AbortError' });
  expect(steps).toBe(1);
  expect([...live]).toEqual([noise]);
});

test('leaving the loop, or a model that fails, disposes everything but the noise', async () => {
  const left = watchedBackend((x) => x);
  const noise = left.box(1);
  for await (const event of sample(
    { ...plan, start: { x0: 0, noise: 1 } },
    left.backend,
    { noise, isPreviewDue },
    never,
  )) {
    if (event.step === 2) break;
  }
  expect([...left.live]).toEqual([noise]);

  const failing = watchedBackend((x, timestep) => {
    if (timestep === 10) throw new Error('no model');
    return x;
  });
  const other = failing.box(1);
  const run = async () => {
    for await (const event of sample(plan, failing.backend, { noise: other, isPreviewDue }, never))
      void event;
  };
  await expect(run()).rejects.toThrow('no model');
  expect([...failing.live]).toEqual([other]);
});
