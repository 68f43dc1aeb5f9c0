// A base model on a runtime: its weights loaded once for each component, and its graphs compiled when first needed and kept.
import type { ScopeOptions } from '../models/layers';
import type { FloatType, Graph } from '../onnx/graph';
import type { WeightBits } from '../models/quantized';
import type { Parameters, ParameterSource, Program, Runtime } from '../runtime/runtime';
import type { BaseModel } from './base-model';
import { compileChain } from './chain';
import type { Component } from './model-parts';
import { quantizedSources } from './quantized-sources';

/** Attention scores above it are computed in pieces: 128 MiB are large enough to keep any device busy. */
const largestScores = 128 * 2 ** 20;

/** Compiled graphs that are kept; one more drops the one used longest ago. */
const keptPrograms = 12;

export type PipelineOptions = {
  readonly samplingType?: FloatType;
  readonly weightBits?: WeightBits | undefined;
};

export class Pipeline {
  readonly runtime: Runtime;
  readonly model: BaseModel;
  /** What the UNet's large weights are kept in; undefined: what the runtime keeps weights in. */
  readonly weightBits: WeightBits | undefined;
  /** Bytes that a job (a training run) holds on the device beside the weights; set by that job. */
  reservedBytes = 0;
  /** What pictures are computed in; training and the text encoder are float32. */
  readonly samplingType: FloatType;
  /** The same of the decoder, until float16 was too small for it. */
  decoderType: FloatType;
  readonly #parameters = new Map<Component, Promise<Parameters>>();
  readonly #programs = new Map<string, Promise<Program>>();

  constructor(
    runtime: Runtime,
    model: BaseModel,
    { samplingType = 'float32', weightBits }: PipelineOptions = {},
  ) {
    this.runtime = runtime;
    this.model = model;
    this.samplingType = samplingType;
    this.weightBits = weightBits;
    this.decoderType = samplingType;
  }

  /** What every graph of this model takes from the device. */
  get graphOptions(): Required<Pick<ScopeOptions, 'weightType' | 'largestBytes'>> {
    const { weightType, largestTensorBytes } = this.runtime;
    return { weightType, largestBytes: Math.min(largestTensorBytes, largestScores) };
  }

  /** Where a component's weights come from, each as it is kept on the device. */
  sources(component: Component): readonly ParameterSource[] {
    const storedAs = this.runtime.weightType;
    const sources = this.model.sources[component].map((source) => ({ ...source, storedAs }));
    return component === 'unet' && this.weightBits ? quantizedSources(sources, this.weightBits) : sources;
  }

  /** The weights of a component, uploaded on first use. */
  parameters(component: Component): Promise<Parameters> {
    let loading = this.#parameters.get(component);
    if (!loading) {
      const sources = this.sources(component);
      loading = this.runtime.loadParameters(component, sources, () => {}, new AbortController().signal);
      this.#parameters.set(component, loading);
      loading.catch(() => this.#parameters.delete(component)); // the next use tries again
    }
    return loading;
  }

  /**
   * The program of `key`, compiled from the graph or chain of graphs that `build` makes on first use; `components` are those whose weights it takes. Ask before
   * every run: one that was not used for long is freed (after the runs that have been called for).
   */
  async program(
    key: string,
    label: string,
    components: readonly Component[],
    build: () => Graph | readonly Graph[],
  ): Promise<Program> {
    let program = this.#programs.get(key);
    if (program)
      this.#programs.delete(key); // put back at the end: the newest
    else {
      program = this.#compile(label, components, build);
      program.catch(() => this.#programs.delete(key)); // the next use tries again
    }
    this.#programs.set(key, program);
    await this.#dropOldest();
    return program;
  }

  async #compile(
    label: string,
    components: readonly Component[],
    build: () => Graph | readonly Graph[],
  ): Promise<Program> {
    const parameters = await Promise.all(components.map((component) => this.parameters(component)));
    return compileChain(this.runtime, label, [build()].flat(), parameters);
  }

  /** Frees the programs whose keys start with `prefix` (a training run's, at its end). */
  async drop(prefix: string): Promise<void> {
    for (const key of [...this.#programs.keys()]) if (key.startsWith(prefix)) await this.#remove(key);
  }

  async #dropOldest(): Promise<void> {
    const [oldest] = this.#programs;
    if (!oldest || this.#programs.size <= keptPrograms) return;
    await this.#remove(oldest[0]);
  }

  async #remove(key: string): Promise<void> {
    const program = this.#programs.get(key);
    this.#programs.delete(key);
    const compiled = await program?.catch(() => undefined); // told to who asked for it; there is nothing to free
    await compiled?.dispose();
  }

  /** Frees everything but the runtime. Programs that failed have nothing to free. */
  async dispose(): Promise<void> {
    const programs = await Promise.allSettled(this.#programs.values());
    this.#programs.clear();
    for (const result of programs) if (result.status === 'fulfilled') await result.value.dispose();
    const parameters = await Promise.allSettled(this.#parameters.values());
    this.#parameters.clear();
    for (const result of parameters) if (result.status === 'fulfilled') result.value.dispose();
  }
}
