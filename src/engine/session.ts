// What the engine holds between calls: the runtime, the loaded model on it, and the way back after the GPU was lost.
import { AppError } from '../base/errors';
import type { WeightBits } from '../models/quantized';
import type { openRuntime } from '../runtime/open-runtime';
import type { Runtime } from '../runtime/runtime';
import type { BaseModel } from './base-model';
import type { EngineChoices, EngineInfo, Weights } from './contract';
import { Pipeline } from './pipeline';

/** How a runtime is opened; tests give their own. */
export type OpenRuntime = typeof openRuntime;

/** What a choice of weights means for the UNet's large ones. */
export const weightBits = { original: undefined, '8-bit': 8, '4-bit': 4 } as const satisfies Record<
  Weights,
  WeightBits | undefined
>;

type Opened = { readonly runtime: Runtime; readonly info: EngineInfo };

export class EngineSession {
  readonly #openRuntime: OpenRuntime;
  #choices: EngineChoices = { compute: 'automatic', precision: 'automatic', weights: 'original' };
  #opening: Promise<Opened> | undefined;
  #runtime: Runtime | undefined; // what #opening answered
  #model: BaseModel | undefined;
  #pipeline: Pipeline | undefined;

  constructor(open: OpenRuntime) {
    this.#openRuntime = open;
  }

  /** Opens the runtime for `choices`; a runtime of others is closed first. The model stays and moves over on its next use. */
  async open(choices: EngineChoices): Promise<EngineInfo> {
    const names = ['compute', 'precision', 'weights'] as const;
    const isOther = names.some((name) => choices[name] !== this.#choices[name]);
    if (this.#opening && isOther) await this.#close();
    this.#choices = choices;
    return (await this.#open()).info;
  }

  /** From now on jobs use this model. */
  async use(model: BaseModel): Promise<void> {
    await this.#dropPipeline();
    this.#model = model;
  }

  get model(): BaseModel {
    if (!this.#model) throw new AppError('engine-failed', { what: 'no model is loaded' });
    return this.#model;
  }

  /** The model on a living runtime: after a lost GPU, on a new device (or on wasm, where there is none any more). */
  async pipeline(): Promise<Pipeline> {
    const { runtime, info } = await this.#open();
    if (this.#pipeline?.runtime !== runtime)
      this.#pipeline = new Pipeline(runtime, this.model, {
        samplingType: info.samplingType,
        weightBits: weightBits[this.#choices.weights],
      });
    return this.#pipeline;
  }

  async info(): Promise<EngineInfo> {
    return (await this.#open()).info;
  }

  /** Bytes in use by what they hold; nothing before the runtime is open. */
  async memory(): Promise<Readonly<Record<string, number>>> {
    return this.#opening ? (await this.#opening).runtime.memory() : {};
  }

  #open(): Promise<Opened> {
    if (this.#opening) return this.#opening;
    const opening = this.#start();
    this.#opening = opening;
    opening.then(
      ({ runtime }) => {
        if (this.#opening === opening) this.#runtime = runtime;
        void runtime.lost.then(() => {
          this.forget(runtime);
        });
      },
      () => {
        if (this.#opening === opening) this.#opening = undefined; // the next call tries again
      },
    );
    return opening;
  }

  async #start(): Promise<Opened> {
    const { compute, precision } = this.#choices;
    const { runtime, ...reasons } = await this.#openRuntime(compute, precision);
    const { backend, threads, adapter, memoryLimitBytes } = runtime;
    const inHalf = precision === 'automatic' && reasons.noHalfReason === '';
    const samplingType = inHalf ? 'float16' : 'float32';
    return { runtime, info: { backend, threads, adapter, memoryLimitBytes, samplingType, ...reasons } };
  }

  /**
   * Gives up a runtime whose device was lost; the next use opens another. Its buffers are gone with the device, so there is nothing
   * to free. A job that has seen the failure calls this itself, since the device's own word may come later.
   */
  forget(runtime: Runtime): void {
    if (this.#pipeline?.runtime === runtime) this.#pipeline = undefined;
    if (this.#runtime !== runtime) return; // closed before: the present one stays
    this.#runtime = undefined;
    this.#opening = undefined;
  }

  async #dropPipeline(): Promise<void> {
    const pipeline = this.#pipeline;
    this.#pipeline = undefined;
    await pipeline?.dispose();
  }

  async #close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    this.#runtime = undefined;
    await this.#dropPipeline();
    const opened = await opening?.catch(() => undefined); // told to who opened it; here is nothing to close then
    await opened?.runtime.dispose();
  }
}
