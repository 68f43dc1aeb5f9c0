// An engine for tests of actions: answers at once, and runs its long jobs by the test's hand.
import { AppError } from '../../base/errors';
import type { Job } from '../../base/job';
import type {
  EngineChoices,
  EngineInfo,
  ModelInfo,
  SampleEvent,
  SampleRequest,
  SampleResult,
  TrainingEvent,
  TrainingResult,
  TrainingSettings,
} from '../../engine/contract';
import { recipes, settingRanges } from '../../training/settings';
import type { EngineClient } from '../engine-client';

export const fakeInfo: EngineInfo = {
  backend: 'wasm',
  threads: 2,
  adapter: '',
  memoryLimitBytes: 2e9,
  fallbackReason: '',
  samplingType: 'float32',
  noHalfReason: 'WebAssembly computes in 32 bits',
};

export const fakeModel: ModelInfo = {
  id: 'bundled',
  name: 'Likeness 64',
  license: 'CC BY-SA 4.0',
  sizeBytes: 9e6,
  unetBytes: { original: 8e6, '8-bit': 4.5e6, '4-bit': 2.5e6 },
  resolution: 64,
  sizeStep: 8,
  samplers: ['ddim', 'euler'],
  sigmaSamplers: ['euler'],
  sampling: { sampler: 'ddim', steps: 20, guidance: 5, batchSize: 1 },
  takesPreviewDecoder: false,
  recipes: recipes(),
  settingRanges,
  loraLoadsIn: { kohya: ['diffusers'], peft: ['diffusers'] },
};

/** A job that yields what the test gives it and ends as the test says. */
export class HandJob<Event, Result> {
  #queue: Event[] = [];
  #end: { readonly result: Result } | { readonly error: unknown } | undefined;
  #wake = () => {};

  give(...events: Event[]): void {
    this.#queue.push(...events);
    this.#wake();
  }

  end(result: Result): void {
    this.#end = { result };
    this.#wake();
  }

  fail(error: unknown): void {
    this.#end = { error };
    this.#wake();
  }

  /** `onAbort` are the last events of an aborted job, as a real one saves a checkpoint. */
  async *run(signal: AbortSignal, onAbort: () => readonly Event[] = () => []): Job<Event, Result> {
    signal.addEventListener('abort', () => this.#wake());
    for (;;) {
      if (signal.aborted) {
        yield* onAbort();
        signal.throwIfAborted();
      }
      const event = this.#queue.shift();
      if (event !== undefined) yield event;
      else if (this.#end && 'error' in this.#end) throw this.#end.error;
      else if (this.#end) return this.#end.result;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

export type FakeEngine = {
  readonly client: EngineClient;
  /** Jobs in the order of the calls, with what they were asked. */
  readonly trained: { readonly runId: string; readonly job: HandJob<TrainingEvent, TrainingResult> }[];
  readonly drawn: { readonly request: SampleRequest; readonly job: HandJob<SampleEvent, SampleResult> }[];
  readonly estimated: TrainingSettings[];
  readonly opened: EngineChoices[];
  /** Bytes that one run needs, as the estimate says. */
  memoryBytes: number;
  die(): void;
};

/** A fake engine; `step` tells the step that an aborted run saves. */
export function createFakeEngine({ abortStep = 0 } = {}): FakeEngine {
  let die = () => {};
  const died = new Promise<never>((_, reject) => {
    die = () => reject(new AppError('engine-failed', { reason: 'the worker died' }));
  });
  died.catch(() => {});
  const fake: FakeEngine = {
    trained: [],
    drawn: [],
    estimated: [],
    opened: [],
    memoryBytes: 1e9,
    die: () => die(),
    client: {
      open: async (choices) => {
        fake.opened.push(choices);
        return fakeInfo;
      },
      async *loadModel() {
        yield { kind: 'stage-start', stage: 'download' };
        yield { kind: 'download-progress', file: 'unet', loadedBytes: 9e6, totalBytes: 9e6 };
        return fakeModel;
      },
      estimate: async ({ settings }) => {
        fake.estimated.push(settings);
        return {
          memoryBytes: fake.memoryBytes,
          memoryLimitBytes: 2e9,
          tensorBytes: 1e6,
          tensorLimitBytes: 128e6,
          tier: 'fast',
          trainedParameters: 1000,
          loraFileBytes: 4000,
          secondsPerStep: 0.5,
          secondsTotal: 0.5 * settings.steps,
          fits: fake.memoryBytes <= 2e9,
        };
      },
      train: ({ runId }, signal) => {
        const job = new HandJob<TrainingEvent, TrainingResult>();
        fake.trained.push({ runId, job });
        return job.run(signal, () => (abortStep > 0 ? [{ kind: 'checkpoint-saved', step: abortStep }] : []));
      },
      sample: (request, signal) => {
        const job = new HandJob<SampleEvent, SampleResult>();
        fake.drawn.push({ request, job });
        return job.run(signal);
      },
      exportLora: async ({ format }) => ({
        fileName: `${format}.safetensors`,
        bytes: Uint8Array.of(1, 2, 3),
        tensors: 1,
      }),
      importLora: async ({ fileName }) => {
        throw new AppError('bad-file', { file: fileName, reason: 'truncated' });
      },
      memory: async () => ({ 'UNet weights': 5e6, 'training step': 3e6 }),
      died,
      close: () => {},
    },
  };
  return fake;
}
