// A job is an async generator on both sides of a worker: it yields events, returns its result and stops when its signal aborts.
import { proxy } from 'comlink';

export type Job<Event, Result> = AsyncGenerator<Event, Result, void>;
export type Emit<Event> = (event: Event) => Promise<void> | void;

/** Worker side: runs `job` to its end, awaiting `emit` for each event so that none arrives after the result. */
export async function serve<Event, Result>(job: Job<Event, Result>, emit: Emit<Event>): Promise<Result> {
  try {
    for (;;) {
      const step = await job.next();
      if (step.done) return step.value;
      await emit(step.value);
    }
  } catch (error) {
    await job.return(undefined as never); // a failed emit still runs the job's own finally
    throw error;
  }
}

/**
 * Page side: the same generator again. `start` makes the remote call; leaving the loop early aborts the job.
 * Errors of the call are thrown from the generator.
 */
export async function* follow<Event, Result>(
  start: (emit: Emit<Event>, signal: AbortSignal) => Promise<Result>,
  signal: AbortSignal,
): Job<Event, Result> {
  const left = new AbortController();
  const queue: Event[] = [];
  let wake = () => {};
  let ended = false;
  const emit = proxy((event: Event) => {
    queue.push(event);
    wake();
  });
  const result = start(emit, AbortSignal.any([signal, left.signal])).finally(() => {
    ended = true;
    wake();
  });
  result.catch(() => {}); // thrown by the await below, or unwanted
  try {
    for (;;) {
      const event = queue.shift();
      if (event !== undefined) yield event;
      else if (ended) return await result;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    left.abort();
  }
}

/**
 * A task as a job: yields what the task reports, the newest value each time the one before has been taken, and returns its result.
 * Leaving early aborts the signal that the task gets, and waits until it has ended.
 */
export async function* reporting<Value, Result>(
  task: (report: (value: Value) => void, signal: AbortSignal) => Promise<Result>,
  signal: AbortSignal,
): Job<Value, Result> {
  const left = new AbortController();
  let newest: { readonly value: Value } | undefined;
  let wake = () => {};
  let ended = false;
  const report = (value: Value) => {
    newest = { value };
    wake();
  };
  const result = task(report, AbortSignal.any([signal, left.signal])).finally(() => {
    ended = true;
    wake();
  });
  result.catch(() => {}); // thrown by the await below
  try {
    for (;;) {
      const taken = newest;
      newest = undefined;
      if (taken) yield taken.value;
      else if (ended) return await result;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    left.abort();
    await result.catch(() => {}); // told above, or unwanted
  }
}
