// What smaller weights do to a picture, measured: the same picture before and after the switch, and how far apart the two are.
import { AppError } from '../base/errors';
import type { Weights } from '../engine/contract';
import type { App } from './app';
import { emptyForm, requestOf } from './drawing-state';
import { chooseEngine } from './engine';
import { toFailure } from './failure';
import { isTraining } from './training-state';
import type { WeightsComparison } from './weights-comparison-state';

const fewSteps = 8;

/** Draws, switches the weights and draws again. Not while the engine works; when work began meanwhile nothing is switched. */
export async function compareWeights(app: App, weights: Weights): Promise<void> {
  const show = (comparison: WeightsComparison) => app.comparison.setState(comparison, true);
  const from = app.engine.getState().weights;
  try {
    show({ phase: 'running', step: 'before', to: weights });
    const before = await drawOne(app);
    if (isTraining(app.training.getState()) || app.drawing.getState().phase === 'running')
      return show({ phase: 'idle' });
    show({ phase: 'running', step: 'switch', to: weights });
    await chooseEngine(app, { weights });
    show({ phase: 'running', step: 'after', to: weights });
    const after = await drawOne(app);
    const [one, other] = await Promise.all([before, after].map(app.services.levelsOf));
    show({ phase: 'done', from, to: weights, before, after, difference: meanDifference(one!, other!) });
  } catch (error) {
    show({ phase: 'failed', failure: toFailure(error) });
  }
}

/** The same picture every time, of the base model alone. */
async function drawOne(app: App): Promise<Blob> {
  const engine = app.engine.getState();
  if (engine.phase !== 'ready') throw new AppError('engine-failed', { what: 'no model is loaded' });
  const { model, client } = engine;
  const form = {
    ...emptyForm,
    prompt: 'a photo of a dog',
    seed: 1,
    steps: Math.min(fewSteps, model.sampling.steps),
  };
  const request = { ...requestOf(form, model), previewEvery: 0 };
  for await (const event of client.sample(request, new AbortController().signal))
    if (event.kind === 'image-ready') return event.png;
  throw new AppError('engine-failed', { what: 'nothing was drawn' });
}

/** Over red, green and blue of RGBA levels. */
function meanDifference(one: Uint8ClampedArray, other: Uint8ClampedArray): number {
  const sum = one.reduce((all, level, i) => all + Math.abs(level - other[i]!), 0); // both are opaque
  return sum / ((3 * one.length) / 4);
}
