// Small actions that may fail: their failure becomes the page's notice instead of an unhandled rejection.
import { isAbort } from '../base/errors';
import type { App } from './app';
import { toFailure } from './failure';

/** Runs `task`; on failure shows it as the notice and answers undefined. */
export async function attempt<T>(app: App, task: () => Promise<T>): Promise<T | undefined> {
  try {
    return await task();
  } catch (error) {
    if (!isAbort(error)) app.notice.setState(toFailure(error), true);
    return undefined;
  }
}

/** Takes the notice away. */
export function dismissNotice(app: App): void {
  app.notice.setState(undefined, true);
}
