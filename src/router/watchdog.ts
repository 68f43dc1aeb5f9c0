// A deadline that moves: far cheaper than a timer for each piece of a stream.

export type Clock = {
  readonly now: () => number; // ms
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
};

export type Watchdog = {
  /** Sets the deadline, in ms of the clock; Infinity: none. */
  set(deadline: number): void;
  stop(): void;
};

/** Calls `onExpire` once when the clock passes the deadline that was set last. */
export function createWatchdog({ now, sleep }: Clock, onExpire: () => void): Watchdog {
  let deadline = Infinity;
  let timer: { readonly wakeAt: number; readonly controller: AbortController } | undefined;

  function arm(): void {
    if (deadline === Infinity || (timer && timer.wakeAt <= deadline)) return; // it wakes in time, and then looks again
    timer?.controller.abort();
    const own = { wakeAt: deadline, controller: new AbortController() };
    timer = own;
    sleep(Math.max(0, deadline - now()), own.controller.signal).then(
      () => {
        if (timer !== own) return;
        timer = undefined;
        if (now() >= deadline) onExpire();
        else arm();
      },
      () => undefined, // stopped, or replaced by an earlier deadline
    );
  }

  return {
    set(at) {
      deadline = at;
      arm();
    },
    stop() {
      deadline = Infinity;
      timer?.controller.abort();
      timer = undefined;
    },
  };
}
