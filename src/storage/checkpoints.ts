// Checkpoints of a run. The one to resume from is written to the older of two slots and becomes current by one small put, so a
// kill at any moment leaves a whole one. Snapshots (weights only, one per step kept) serve the list, drawing and export.
import { get, set } from 'idb-keyval';
import { z } from 'zod';
import { guard, recordsUnder, storeOf, transact } from './database';
import {
  countSchema,
  floatsSchema,
  jsonSchema,
  parseReadable,
  parseRecord,
  type Json,
  type RecordFormat,
} from './record';

export type Checkpoint = {
  readonly version: 1;
  readonly runId: string;
  readonly step: number; // steps finished
  readonly theta: Float32Array<ArrayBuffer>; // what is trained
  readonly m: Float32Array<ArrayBuffer>; // AdamW's first moment
  readonly v: Float32Array<ArrayBuffer>; // and second
  readonly losses: Float32Array<ArrayBuffer>; // one per finished step
  readonly layout: Json; // how theta is cut into modules
};

export type Snapshot = Pick<Checkpoint, 'version' | 'runId' | 'step' | 'theta' | 'layout'>;

export type CheckpointInfo = { readonly step: number; readonly savedAt: number; readonly sizeBytes: number };

type StoredInfo = CheckpointInfo & { readonly version: 1; readonly slot: number };

const snapshotShape = {
  version: z.literal(1),
  runId: z.string(),
  step: countSchema,
  theta: floatsSchema,
  layout: jsonSchema,
};
const snapshotFormat: RecordFormat<Snapshot> = { what: 'snapshot', schema: z.strictObject(snapshotShape) };
const checkpointFormat: RecordFormat<Checkpoint> = {
  what: 'checkpoint',
  schema: z.strictObject({ ...snapshotShape, m: floatsSchema, v: floatsSchema, losses: floatsSchema }),
};
const infoFormat: RecordFormat<StoredInfo> = {
  what: 'checkpoint',
  schema: z.strictObject({
    version: z.literal(1),
    slot: countSchema,
    step: countSchema,
    savedAt: z.number(),
    sizeBytes: countSchema,
  }),
};

const checkpoints = storeOf('checkpoints');
const infos = storeOf('checkpoint-info');

async function currentInfo(runId: string): Promise<StoredInfo | undefined> {
  const stored = await get<unknown>([runId, 'current'], infos);
  return stored === undefined ? undefined : parseRecord(infoFormat, stored);
}

/** Makes `checkpoint` the one to resume from. The last one stays whole until this one is. Throws AppError('storage-full' | 'storage-failed'). */
export function saveCheckpoint(checkpoint: Checkpoint, now = Date.now()): Promise<void> {
  const { runId, step, theta, m, v, losses } = checkpoint;
  return guard('checkpoint', async () => {
    const slot = (await currentInfo(runId))?.slot === 0 ? 1 : 0;
    await set([runId, 'slot', slot], parseRecord(checkpointFormat, checkpoint), checkpoints);
    const sizeBytes = theta.byteLength + m.byteLength + v.byteLength + losses.byteLength;
    const info: StoredInfo = { version: 1, slot, step, savedAt: now, sizeBytes };
    await set([runId, 'current'], info, infos);
  });
}

/** Keeps the weights of one step. */
export function saveSnapshot(snapshot: Snapshot, now = Date.now()): Promise<void> {
  const { version, runId, step, theta, layout } = snapshot;
  return guard('checkpoint', () => {
    const record = parseRecord(snapshotFormat, { version, runId, step, theta, layout });
    const info: StoredInfo = { version: 1, slot: 0, step, savedAt: now, sizeBytes: theta.byteLength };
    return transact(['checkpoints', 'checkpoint-info'], (stores) => {
      stores.checkpoints.put(record, [runId, 'snapshot', step]);
      stores['checkpoint-info'].put(info, [runId, 'snapshot', step]);
    });
  });
}

/** Without a step the checkpoint to resume from; with one the weights of that step. Undefined where there is none. */
export function loadCheckpoint(runId: string, step?: undefined): Promise<Checkpoint | undefined>;
export function loadCheckpoint(runId: string, step: number | undefined): Promise<Snapshot | undefined>;
export function loadCheckpoint(runId: string, step?: number): Promise<Snapshot | undefined> {
  return guard('checkpoint', async () => {
    if (step !== undefined) {
      const stored = await get<unknown>([runId, 'snapshot', step], checkpoints);
      if (stored !== undefined) return parseRecord(snapshotFormat, stored);
    }
    const info = await currentInfo(runId);
    if (info === undefined || (step !== undefined && info.step !== step)) return undefined;
    const checkpoint = parseRecord(
      checkpointFormat,
      await get<unknown>([runId, 'slot', info.slot], checkpoints),
    );
    if (step === undefined) return checkpoint;
    const { version, theta, layout } = checkpoint;
    return { version, runId, step, theta, layout };
  });
}

/** The snapshots of a run, first step first, without their weights. */
export function listCheckpoints(runId: string): Promise<readonly CheckpointInfo[]> {
  return guard('checkpoint', async () => {
    const stored = await recordsUnder(infos, runId, 'snapshot');
    return parseReadable(infoFormat, stored).map(({ step, savedAt, sizeBytes }) => ({
      step,
      savedAt,
      sizeBytes,
    }));
  });
}

/** Removes the snapshot of one step; the checkpoint to resume from stays. */
export function deleteSnapshot(runId: string, step: number): Promise<void> {
  return guard('checkpoint', () =>
    transact(['checkpoints', 'checkpoint-info'], (stores) => {
      stores.checkpoints.delete([runId, 'snapshot', step]);
      stores['checkpoint-info'].delete([runId, 'snapshot', step]);
    }),
  );
}
