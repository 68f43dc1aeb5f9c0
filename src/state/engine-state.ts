// What the engine is doing, as the page shows it. The client exists from the first call on; the model when it is ready.
import type { EngineChoices, EngineInfo, MemoryUse, ModelInfo } from '../engine/contract';
import type { EngineClient } from './engine-client';
import type { Failure } from './failure';

type Phase =
  | { readonly phase: 'opening' }
  | {
      readonly phase: 'loading';
      readonly client: EngineClient;
      readonly info: EngineInfo;
      readonly stage: 'download' | 'verify' | 'prepare';
      readonly loadedBytes: number;
      readonly totalBytes: number; // 0 until it is known
    }
  | {
      readonly phase: 'ready';
      readonly client: EngineClient;
      readonly info: EngineInfo;
      readonly model: ModelInfo;
      readonly memory: MemoryUse;
    }
  | { readonly phase: 'failed'; readonly failure: Failure };

export type EngineState = Phase & EngineChoices;

export type ReadyEngine = Extract<EngineState, { phase: 'ready' }>;

/** Before a person chose. */
export const defaultChoices: EngineChoices = {
  compute: 'automatic',
  precision: 'automatic',
  weights: 'original',
};

/** What the person chose. */
export const choicesOf = ({ compute, precision, weights }: EngineChoices): EngineChoices => ({
  compute,
  precision,
  weights,
});

/** The loaded model, or undefined before it is ready. */
export const modelOf = (engine: EngineState) => (engine.phase === 'ready' ? engine.model : undefined);

/** What the engine runs on, once it is open. */
export const infoOf = (engine: EngineState) =>
  engine.phase === 'loading' || engine.phase === 'ready' ? engine.info : undefined;

/** All bytes that the engine says it uses. */
export const memoryTotal = (memory: MemoryUse): number =>
  Object.values(memory).reduce((sum, bytes) => sum + bytes, 0);
