// Checks for bugs: what fails here is our mistake, never a person's.

/** Throws a plain Error with `message` unless `condition` holds. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Returns `value` unless it is undefined or null; `what` names it in the error. */
export function assertExists<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new Error(`${what} does not exist`);
  return value;
}

/** For the default branch of a switch over a closed union. */
export function unreachable(value: never): never {
  throw new Error(`unexpected value: ${String(value)}`);
}
