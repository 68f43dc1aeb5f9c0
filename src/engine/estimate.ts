// What a run will cost, before it starts: memory by tier, parameters, file size, time from what was measured.
import { differentiate, cutSegments, gradName, type Segment } from '../autodiff/segments';
import { packSize, type Pack } from '../onnx/packing';
import { byteSizeOf, type Graph } from '../onnx/graph';
import { peakBytes } from '../onnx/liveness';
import type { LossGraph } from '../training/loss-graph';
import type { TrainingSettings } from '../training/settings';
import { tierPlans, type Tier } from '../training/tier';
import type { TrainingEstimate } from './contract';
import type { Pipeline } from './pipeline';
import { overheadBytes, storedBytes } from './sampling-memory';

/** θ, m and v twice (a step reads one set and writes the other), and the gradient. */
const vectorsKept = 7;

const bytesOf = (values: Graph['parameters']) => values.reduce((sum, value) => sum + byteSizeOf(value), 0);

/** Peak bytes of one training step in a tier, all that is held for it included. */
export function trainingBytes(loss: LossGraph, tier: Tier, backend: 'webgpu' | 'wasm'): number {
  const theta = loss.packs.reduce((sum, pack) => sum + 4 * packSize(pack), 0);
  // On wasm a session holds its own copy of the weights it takes beside ours: the evaluation, and the gradient (in segments: forward
  // and backward).
  const copies = backend === 'webgpu' ? 1 : tier === 'fast' ? 3 : 4;
  const weights = bytesOf(loss.graph.parameters) * copies;
  const { segments } = tierPlans[tier];
  const live = segments
    ? segmentsPeak(cutSegments(loss.graph, loss.packs, segments), loss.packs)
    : peakBytes(differentiate(loss.graph, loss.packs));
  return weights + vectorsKept * theta + live;
}

/** The most that the calls of a step in segments hold at once: boundaries still needed, upstream gradients, and the call's own tensors. */
function segmentsPeak(segments: readonly Segment[], packs: readonly Pack[]): number {
  const packGrads = new Set(packs.map(gradName));
  let held = 0;
  let peak = 0;
  for (const { forward } of segments) {
    if (!forward) continue;
    peak = Math.max(peak, held + peakBytes(forward));
    held += bytesOf(forward.outputs);
  }
  const upstream = new Map<string, number>();
  for (const segment of segments.toReversed()) {
    peak = Math.max(peak, held + sum(upstream) + (segment.backward ? peakBytes(segment.backward) : 0));
    for (const output of segment.backward?.outputs ?? [])
      if (!packGrads.has(output.name) && output.name.startsWith('grad.'))
        upstream.set(output.name, byteSizeOf(output));
    held -= freed(segment, upstream);
  }
  return peak;
}

function freed({ boundary }: Segment, upstream: Map<string, number>): number {
  for (const value of boundary) upstream.delete(gradName(value));
  return bytesOf(boundary);
}

const sum = (sizes: ReadonlyMap<string, number>): number => [...sizes.values()].reduce((a, b) => a + b, 0);

/** Everything that is held while a run trains: its step, the other components' weights, ORT itself. */
export function trainingMemory({ runtime, model }: Pipeline, loss: LossGraph, tier: Tier): number {
  const others = [...model.sources.text_encoder, ...model.sources.vae];
  return trainingBytes(loss, tier, runtime.backend) + storedBytes(others, runtime) + overheadBytes;
}

/** How a run will be computed. */
export type TrainingPlan = {
  readonly tier: Tier;
  readonly loss: LossGraph;
  readonly memoryBytes: number; // everything that is held while it trains
};

/** The whole estimate. `secondsPerStep` is the last measured step of this kind of run, if there is one. */
export function estimateTraining(
  pipeline: Pipeline,
  settings: TrainingSettings,
  { tier, loss, memoryBytes }: TrainingPlan,
  secondsPerStep: number | undefined,
): TrainingEstimate {
  const { runtime } = pipeline;
  const trainedParameters = loss.packs.reduce((total, pack) => total + packSize(pack), 0);
  return {
    memoryBytes,
    memoryLimitBytes: runtime.memoryLimitBytes,
    tier,
    trainedParameters,
    loraFileBytes: 4 * trainedParameters,
    secondsPerStep,
    secondsTotal: secondsPerStep === undefined ? undefined : secondsPerStep * stepsWorth(settings),
    fits: memoryBytes <= runtime.memoryLimitBytes,
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
