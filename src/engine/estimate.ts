// What a run will cost, before it starts: memory by tier, parameters, file size, time from what was measured.
import { differentiate, cutSegments, gradName, type Segment } from '../autodiff/segments';
import { packSize, type Pack } from '../onnx/packing';
import { byteSizeOf, type Graph } from '../onnx/graph';
import { largestTensorBytes, peakBytes } from '../onnx/liveness';
import type { Runtime } from '../runtime/runtime';
import type { LossGraph } from '../training/loss-graph';
import type { TrainingSettings } from '../training/settings';
import { tierPlans, type Tier } from '../training/tier';
import type { TrainingEstimate } from './contract';
import type { Pipeline } from './pipeline';
import { overheadBytes, weightBytes } from './sampling-memory';

/** θ, m and v twice: a step reads one set and writes the other. */
const vectorsKept = 6;

const bytesOf = (values: Graph['parameters']) => values.reduce((sum, value) => sum + byteSizeOf(value), 0);

type Place = Pick<Runtime, 'backend' | 'dispatchesHeld'>;

/** What a step in a tier takes: `peakBytes`, all that is held for it included, and the bytes of the largest tensor in it. */
export function trainingBytes(
  loss: LossGraph,
  tier: Tier,
  place: Place,
): { readonly peakBytes: number; readonly tensorBytes: number } {
  const { segments: size } = tierPlans[tier];
  const segments: readonly Segment[] = size
    ? cutSegments(loss.graph, loss.packs, size)
    : [{ name: '', forward: undefined, backward: differentiate(loss.graph, loss.packs), boundary: [] }];
  const graphs = segments.flatMap(({ forward, backward }) => [forward ?? [], backward ?? []].flat());
  return {
    peakBytes:
      bytesOf(loss.graph.parameters) +
      keptBytes(loss, tier, place) +
      segmentsPeak(segments, loss.packs, place.dispatchesHeld),
    tensorBytes: Math.max(...graphs.map(largestTensorBytes)),
  };
}

/**
 * What a run holds between its steps beside the weights. On wasm a session has its own copy of the weights it takes: the evaluation,
 * and the gradient (in segments: forward and backward).
 */
export function keptBytes(
  { graph, packs }: LossGraph,
  tier: Tier,
  { backend }: Pick<Place, 'backend'>,
): number {
  const copies = backend === 'webgpu' ? 0 : tier === 'fast' ? 2 : 3;
  return vectorsKept * thetaBytes(packs) + copies * bytesOf(graph.parameters);
}

const thetaBytes = (packs: readonly Pack[]): number =>
  packs.reduce((total, pack) => total + 4 * packSize(pack), 0);

/**
 * The most that the calls of a step in segments hold at once: boundaries still needed, upstream gradients, gradients found, and the
 * call's own tensors.
 */
function segmentsPeak(segments: readonly Segment[], packs: readonly Pack[], dispatchesHeld: number): number {
  const packGrads = new Set(packs.map(gradName));
  let held = 0;
  let peak = 0;
  for (const { forward } of segments) {
    if (!forward) continue;
    peak = Math.max(peak, held + peakBytes(forward, dispatchesHeld));
    held += bytesOf(forward.outputs);
  }
  const upstream = new Map<string, number>();
  for (const segment of segments.toReversed()) {
    const own = segment.backward ? peakBytes(segment.backward, dispatchesHeld) : 0;
    peak = Math.max(peak, held + sum(upstream) + own);
    for (const output of segment.backward?.outputs ?? []) {
      if (packGrads.has(output.name)) held += byteSizeOf(output);
      else if (output.name.startsWith('grad.')) upstream.set(output.name, byteSizeOf(output));
    }
    held -= freed(segment, upstream);
  }
  return peak;
}

function freed({ boundary }: Segment, upstream: Map<string, number>): number {
  for (const value of boundary) upstream.delete(gradName(value));
  return bytesOf(boundary);
}

const sum = (sizes: ReadonlyMap<string, number>): number => [...sizes.values()].reduce((a, b) => a + b, 0);

/** Everything that is held while a run trains: its step, the other components' weights, ORT itself; and the largest tensor. */
export function trainingMemory(pipeline: Pipeline, loss: LossGraph, tier: Tier) {
  const trained = loss.graph.parameters.some(({ name }) => name.startsWith('text_encoder.'));
  const others = weightBytes(pipeline, trained ? ['vae'] : ['text_encoder', 'vae']);
  const { peakBytes: stepBytes, tensorBytes } = trainingBytes(loss, tier, pipeline.runtime);
  return { memoryBytes: stepBytes + others + overheadBytes, tensorBytes };
}

/** How a run will be computed. */
export type TrainingPlan = {
  readonly tier: Tier;
  readonly loss: LossGraph;
  readonly memoryBytes: number; // everything that is held while it trains, and while it draws
  readonly tensorBytes: number; // the largest tensor
};

export const planFits = (
  { memoryBytes, tensorBytes }: Pick<TrainingPlan, 'memoryBytes' | 'tensorBytes'>,
  { memoryLimitBytes, largestTensorBytes: tensorLimitBytes }: Runtime,
): boolean => memoryBytes <= memoryLimitBytes && tensorBytes <= tensorLimitBytes;

/** The whole estimate. `secondsPerStep` is the last measured step of this kind of run, if there is one. */
export function estimateTraining(
  pipeline: Pipeline,
  settings: TrainingSettings,
  plan: TrainingPlan,
  secondsPerStep: number | undefined,
): TrainingEstimate {
  const { runtime } = pipeline;
  const { tier, loss, memoryBytes, tensorBytes } = plan;
  const trainedParameters = loss.packs.reduce((total, pack) => total + packSize(pack), 0);
  return {
    memoryBytes,
    memoryLimitBytes: runtime.memoryLimitBytes,
    tensorBytes,
    tensorLimitBytes: runtime.largestTensorBytes,
    tier,
    trainedParameters,
    loraFileBytes: 4 * trainedParameters,
    secondsPerStep,
    secondsTotal: secondsPerStep === undefined ? undefined : secondsPerStep * stepsWorth(settings),
    fits: planFits(plan, runtime),
  };
}

/**
 * The run in units of training steps. A step is about three forward passes of its batch (forward, and twice that backward); a class
 * picture's step is two (guidance), an evaluation round one, a preview 12 steps of two.
 */
function stepsWorth(settings: TrainingSettings): number {
  const { steps, batchSize, priorPreservation, classImages, classImageSteps, previewEvery, evaluateEvery } =
    settings;
  const passesPerStep = 3 * batchSize * (priorPreservation ? 2 : 1);
  const classPasses = priorPreservation ? 2 * classImages * classImageSteps : 0;
  const previewPasses = previewEvery > 0 ? (1 + Math.floor(steps / previewEvery)) * 24 : 0;
  const evaluationPasses =
    evaluateEvery > 0 ? (1 + Math.floor(steps / evaluateEvery)) * 4 * (passesPerStep / 3) : 0;
  return steps + (classPasses + previewPasses + evaluationPasses) / passesPerStep;
}
