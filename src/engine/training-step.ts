// One training step on a runtime: the gradient, as one graph (fast) or segment by segment (balanced and tight), then AdamW on the vectors.
import { assertExists } from '../base/assert';
import { cutSegments, differentiate, gradName, upstreamName, type Segment } from '../autodiff/segments';
import { packSize, type Pack } from '../onnx/packing';
import type { Graph, Value } from '../onnx/graph';
import type { DeviceTensor, Program, Runtime } from '../runtime/runtime';
import type { Update } from '../training/dreambooth';
import type { LossGraph } from '../training/loss-graph';
import { tierPlans, type Tier } from '../training/tier';
import { adamWDefaults, adamWGraph, momentNames } from '../training/optimizer';
import type { Vectors } from './adapters';
import type { Component } from './model-parts';
import type { Pipeline } from './pipeline';

type Tensors = Record<string, DeviceTensor>;

/** Gradients of every pack (named grad.<pack>) and the loss; the caller disposes them. */
type GradientOf = (feeds: Readonly<Tensors>) => Promise<Tensors>;

/** θ, m and v on the device. Two sets, since an output of ORT must not be one of its inputs: a step reads one and writes the other. */
export class TrainedState {
  readonly packs: readonly Pack[];
  #current: Tensors;
  #other: Tensors;

  constructor(
    pipeline: Pipeline,
    packs: readonly Pack[],
    start: { theta: Vectors; m?: Vectors; v?: Vectors },
  ) {
    this.packs = packs;
    const { runtime } = pipeline;
    const make = (vectors: Vectors | undefined, pack: Pack) => {
      const data = vectors?.[pack.name];
      const shape = [packSize(pack)];
      return data
        ? runtime.upload('optimizer state', 'float32', shape, data)
        : runtime.zeros('optimizer state', 'float32', shape);
    };
    const set = (source: { theta?: Vectors; m?: Vectors; v?: Vectors }): Tensors =>
      Object.fromEntries(
        packs.flatMap((pack) => {
          const names = momentNames(pack.name);
          return [
            [pack.name, make(source.theta, pack)],
            [names.m, make(source.m, pack)],
            [names.v, make(source.v, pack)],
          ];
        }),
      );
    this.#current = set(start);
    this.#other = set({});
  }

  /** θ, m and v by name. */
  get tensors(): Readonly<Tensors> {
    return this.#current;
  }

  /** θ alone: what the model's graphs take. */
  get theta(): Readonly<Tensors> {
    return Object.fromEntries(this.packs.map(({ name }) => [name, assertExists(this.#current[name], name)]));
  }

  /** The set that a step writes, by the optimizer's output names. */
  get targets(): Readonly<Tensors> {
    return Object.fromEntries(
      this.packs.flatMap(({ name }) => {
        const names = momentNames(name);
        return [
          [names.next, this.#other[name]!],
          [names.nextM, this.#other[names.m]!],
          [names.nextV, this.#other[names.v]!],
        ];
      }),
    );
  }

  /** What was written becomes current. */
  swap(): void {
    [this.#current, this.#other] = [this.#other, this.#current];
  }

  dispose(): void {
    for (const tensor of [...Object.values(this.#current), ...Object.values(this.#other)]) tensor.dispose();
  }
}

/** A compiled gradient. */
export type Gradient = { readonly of: GradientOf; dispose(): Promise<void> };

/** Compiles the gradient of `loss` for a tier. */
export async function compileGradient(
  pipeline: Pipeline,
  loss: LossGraph,
  tier: Tier,
  components: readonly Component[],
): Promise<Gradient> {
  const compile = async (graph: Graph | undefined) => {
    if (!graph) return undefined;
    const own = components.filter((one) => graph.parameters.some(({ name }) => name.startsWith(`${one}.`)));
    const parameters = await Promise.all(own.map((component) => pipeline.parameters(component)));
    const program = await pipeline.runtime.compile('training step', graph, parameters);
    programs.push(program);
    return program;
  };
  const programs: Program[] = [];
  const dispose = async () => {
    for (const program of programs) await program.dispose();
  };
  try {
    const size = tierPlans[tier].segments;
    if (!size) {
      const program = assertExists(await compile(differentiate(loss.graph, loss.packs)), 'the gradient');
      return { of: (feeds) => program.run(feeds), dispose };
    }
    const compiled: CompiledSegment[] = [];
    for (const segment of cutSegments(loss.graph, loss.packs, size))
      compiled.push({
        segment,
        forward: await compile(segment.forward),
        backward: await compile(segment.backward),
      });
    return { of: (feeds) => runSegments(compiled, loss, feeds), dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

type CompiledSegment = {
  readonly segment: Segment;
  readonly forward: Program | undefined;
  readonly backward: Program | undefined;
};

/** Forward through the segments, keeping only what crosses between them; then backward, each segment computed again. */
async function runSegments(
  segments: readonly CompiledSegment[],
  loss: LossGraph,
  feeds: Readonly<Tensors>,
): Promise<Tensors> {
  const held: Tensors = {}; // boundary values, then gone once the segment that made them has been differentiated
  const upstream: Tensors = {}; // gradients of boundary values found so far
  const results: Tensors = {};
  const fed = (graph: { readonly inputs: readonly Value[] }): Tensors =>
    Object.fromEntries(
      graph.inputs.map(({ name }) => [name, assertExists(feeds[name] ?? held[name] ?? upstream[name], name)]),
    );
  try {
    for (const { segment, forward } of segments)
      if (forward) Object.assign(held, await forward.run(fed(segment.forward!)));
    for (const { segment, backward } of segments.toReversed()) {
      if (backward) {
        const outputs = await backward.run(fed(segment.backward!));
        const packs = new Set(loss.packs.map(gradName));
        for (const [name, tensor] of Object.entries(outputs)) {
          if (packs.has(name) || !name.startsWith('grad.')) results[name] = tensor;
          else {
            const target = upstreamName({
              name: name.slice('grad.'.length),
              type: tensor.type,
              shape: tensor.shape,
            });
            upstream[target]?.dispose(); // the new one holds the sum
            upstream[target] = tensor;
          }
        }
      }
      for (const value of segment.boundary) {
        held[value.name]?.dispose();
        delete held[value.name];
        upstream[upstreamName(value)]?.dispose();
        delete upstream[upstreamName(value)];
      }
    }
    return results;
  } catch (error) {
    for (const tensor of Object.values(results)) tensor.dispose();
    throw error;
  } finally {
    for (const tensor of [...Object.values(held), ...Object.values(upstream)]) tensor.dispose();
  }
}

/** A compiled optimizer: updates `state` from gradients and answers the gradient norm before clipping. */
export type Optimizer = {
  update(state: TrainedState, grads: Tensors, update: Update): Promise<number>;
  dispose(): Promise<void>;
};

/** Compiles AdamW for the packs. */
export async function compileOptimizer(
  { runtime }: Pipeline,
  packs: readonly Pack[],
  options: { readonly weightDecay: number; readonly maxGradNorm: number },
): Promise<Optimizer> {
  const adamW = { ...adamWDefaults, ...options };
  const vectors = packs.map((pack) => ({ name: pack.name, size: packSize(pack) }));
  const program = await runtime.compile('optimizer', adamWGraph(vectors, adamW), []);
  const scalar = (x: number) => runtime.upload('optimizer', 'float32', [1], Float32Array.of(x));
  return {
    update: async (state, grads, { step, learningRate }) => {
      const scalars = {
        learningRate: scalar(learningRate),
        correction1: scalar(1 - adamW.beta1 ** step),
        correction2: scalar(Math.sqrt(1 - adamW.beta2 ** step)),
      };
      const { gradNorm } = await program
        .run({ ...state.tensors, ...grads, ...scalars }, state.targets)
        .finally(() => Object.values(scalars).forEach((tensor) => tensor.dispose()));
      state.swap();
      return readScalar(runtime, assertExists(gradNorm, 'gradNorm'));
    },
    dispose: () => program.dispose(),
  };
}

/** Reads a [1] tensor and frees it. */
export async function readScalar(runtime: Runtime, tensor: DeviceTensor): Promise<number> {
  const [value] = await runtime.read(tensor).finally(() => tensor.dispose());
  return Number(value);
}
