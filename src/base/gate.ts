// A serial queue: one task at a time, in the order of the calls, and a failed task does not stop the next one.

export type Gate = <T>(task: () => Promise<T>) => Promise<T>;

/** Makes a gate. `gate(task)` starts `task` when every earlier task has ended and settles as `task` does. */
export function createGate(): Gate {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task, task);
    last = result.catch(() => undefined); // the next task runs whether or not this one failed
    return result;
  };
}
