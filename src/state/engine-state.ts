// What the engine is doing, as the page shows it. The client exists from the first call on; the model when it is ready.
import type { Compute, EngineInfo, MemoryUse, ModelInfo } from '../engine/contract';
import type { EngineClient } from './engine-client';
import type { Failure } from './failure';

export type EngineState =
  | { readonly phase: 'opening'; readonly compute: Compute }
  | {
      readonly phase: 'loading';
      readonly compute: Compute;
      readonly client: EngineClient;
      readonly info: EngineInfo;
      readonly stage: 'download' | 'verify' | 'prepare';
      readonly loadedBytes: number;
      readonly totalBytes: number; // 0 until it is known
    }
  | {
      readonly phase: 'ready';
      readonly compute: Compute;
      readonly client: EngineClient;
      readonly info: EngineInfo;
      readonly model: ModelInfo;
      readonly memory: MemoryUse;
    }
  | { readonly phase: 'failed'; readonly compute: Compute; readonly failure: Failure };

export type ReadyEngine = Extract<EngineState, { phase: 'ready' }>;

/** The loaded model, or undefined before it is ready. */
export const modelOf = (engine: EngineState) => (engine.phase === 'ready' ? engine.model : undefined);

/** What the engine runs on, once it is open. */
export const infoOf = (engine: EngineState) =>
  engine.phase === 'loading' || engine.phase === 'ready' ? engine.info : undefined;

/** All bytes that the engine says it uses. */
export const memoryTotal = (memory: MemoryUse): number =>
  Object.values(memory).reduce((sum, bytes) => sum + bytes, 0);
