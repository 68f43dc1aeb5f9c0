// Time for tests: it passes only when all else has come to rest, so that waits of hours take milliseconds and depend on no real clock.

export type VirtualClock = {
  readonly now: () => number; // ms since 1970
  /** Rejects with the signal's reason when it aborts; `Infinity` ends no other way. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Waits for `task`, jumping from sleeper to sleeper. Throws where it waits for nothing. */
  run<T>(task: Promise<T>): Promise<T>;
  /** Moves time by `ms`, past every sleep that ends on the way. */
  readonly advance: (ms: number) => Promise<void>;
  /** How many sleeps have an end and are not over. */
  readonly sleepers: () => number;
};

type Sleeper = { readonly at: number; readonly wake: () => void };

/**
 * A clock that starts at `start`, in ms since 1970. Only `run` and `advance` move it; one that is `isEager` jumps to the end of the
 * earliest sleep by itself whenever nothing else is left to do.
 */
export function createVirtualClock(start = Date.UTC(2026, 9, 2, 12), { isEager = false } = {}): VirtualClock {
  let time = start;
  let isJumping = false;
  const sleepers = new Set<Sleeper>();

  /** Lets everything run that is ready; streams take a few turns from one sleeper to the next. */
  async function settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  function next(): Sleeper | undefined {
    return [...sleepers].sort((a, b) => a.at - b.at)[0];
  }

  function wake(sleeper: Sleeper): void {
    time = Math.max(time, sleeper.at);
    sleeper.wake();
  }

  async function jumpOn(): Promise<void> {
    if (isJumping) return;
    isJumping = true;
    while (sleepers.size > 0) {
      await settle();
      const sleeper = next();
      if (sleeper) wake(sleeper);
    }
    isJumping = false;
  }

  return {
    now: () => time,
    sleepers: () => sleepers.size,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        const sleeper: Sleeper = {
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
        if (ms === Infinity) return;
        sleepers.add(sleeper);
        if (isEager) void jumpOn();
      }),
    async run(task) {
      let isSettled = false;
      const end = () => (isSettled = true);
      task.then(end, end);
      for (;;) {
        await settle();
        if (isSettled) break;
        const sleeper = next();
        if (!sleeper) throw new Error('the task waits for something that is not on this clock');
        wake(sleeper);
      }
      return task;
    },
    async advance(ms) {
      const end = time + ms;
      for (;;) {
        await settle();
        const sleeper = next();
        if (!sleeper || sleeper.at > end) break;
        wake(sleeper);
      }
      time = Math.max(time, end);
    },
  };
}
