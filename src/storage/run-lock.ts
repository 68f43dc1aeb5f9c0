// One tab trains a run at a time.
import { AppError } from '../base/errors';

/** Runs `task` under the run's Web Lock. Throws AppError('run-locked', { runId }) at once where another tab holds it. */
export async function withRunLock<T>(
  runId: string,
  task: () => Promise<T>,
  locks: Pick<LockManager, 'request'> | undefined = globalThis.navigator?.locks,
): Promise<T> {
  if (locks === undefined) return task(); // an old browser: nothing to lock with
  let result: { readonly value: T } | undefined;
  await locks.request(`likeness-run:${runId}`, { ifAvailable: true }, async (lock) => {
    if (lock === null) throw new AppError('run-locked', { runId });
    result = { value: await task() };
  });
  return result!.value;
}
