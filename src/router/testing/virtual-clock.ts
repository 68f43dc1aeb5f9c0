// A clock that jumps: `run` moves it to the next sleeper whenever everything waits.

export type VirtualClock = {
  readonly now: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Waits for `task`, jumping from sleeper to sleeper. Throws where it waits for nothing. */
  run<T>(task: Promise<T>): Promise<T>;
};

/** A clock that starts at `start`, in ms since 1970. */
export function createVirtualClock(start = Date.UTC(2026, 9, 2, 12)): VirtualClock {
  let time = start;
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  return {
    now: () => time,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        const sleeper = {
          at: time + ms,
          wake() {
            sleepers.delete(sleeper);
            signal?.removeEventListener('abort', onAbort);
            resolve();
          },
        };
        function onAbort() {
          sleepers.delete(sleeper);
          reject(signal?.reason as Error);
        }
        signal?.addEventListener('abort', onAbort, { once: true });
        sleepers.add(sleeper);
      }),
    async run(task) {
      let isSettled = false;
      const end = () => (isSettled = true);
      task.then(end, end);
      for (;;) {
        for (let turn = 0; turn < 5; turn++) await settle(); // streams take a few turns from one sleeper to the next
        if (isSettled) break;
        const next = [...sleepers].sort((a, b) => a.at - b.at)[0];
        if (!next) throw new Error('the task waits for something that is not on this clock');
        time = Math.max(time, next.at);
        next.wake();
      }
      return task;
    },
  };
}
