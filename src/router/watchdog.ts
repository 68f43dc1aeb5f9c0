// A deadline that moves: far cheaper than a timer for each piece of a stream.

import { AttemptError, ownFailure } from './failure';

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

/** Runs `task` with a signal that aborts with `signal` and after `ms`. Throws AttemptError('timeout'); rejects on abort. */
export async function withinTime<T>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  let hasExpired = false;
  const watchdog = createWatchdog(clock, () => {
    hasExpired = true;
    controller.abort();
  });
  watchdog.set(clock.now() + ms);
  try {
    return await orAborted(task(controller.signal), controller.signal);
  } catch (error) {
    signal.throwIfAborted();
    if (hasExpired) throw new AttemptError(ownFailure('timeout', 'OpenRouter did not answer in time.'));
    throw error;
  } finally {
    watchdog.stop();
    signal.removeEventListener('abort', onAbort);
  }
}

/** `promise`, or the rejection of an abort: a fetch or a stream that ignores its signal must not keep anyone waiting. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => undefined); // the abort is the reason
    signal.throwIfAborted();
  }
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
