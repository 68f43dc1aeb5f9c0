import { expect, test } from 'vitest';
import { withRunLock } from './run-lock';

// Web Locks as far as ifAvailable goes.
function createLocks() {
  const held = new Set<string>();
  const request = async (name: string, _: LockOptions, callback: (lock: unknown) => Promise<unknown>) => {
    if (held.has(name)) return callback(null);
    held.add(name);
    try {
      return await callback({ name });
    } finally {
      held.delete(name);
    }
  };
  return { request } as unknown as LockManager;
}

test('a second holder is refused at once, another run is not, and the lock is given back', async () => {
  const locks = createLocks();
  const inside = await withRunLock(
    'a',
    async () => {
      await expect(withRunLock('a', async () => 1, locks)).rejects.toMatchObject({
        code: 'run-locked',
        details: { runId: 'a' },
      });
      return withRunLock('b', async () => 'answer', locks);
    },
    locks,
  );
  expect(inside).toBe('answer');
  await expect(withRunLock('a', () => Promise.reject(new Error('failed')), locks)).rejects.toThrow('failed');
  expect(await withRunLock('a', async () => 2, locks)).toBe(2);
});

test('without Web Locks the task runs', async () => {
  expect(await withRunLock('a', async () => 3, undefined)).toBe(3);
});
