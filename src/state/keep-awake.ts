// Keeps the screen on while something long runs, where the browser can. The browser drops the lock with the tab's visibility.

type WakeLockSource = { readonly request: (type: 'screen') => Promise<{ release(): Promise<void> }> };
type Page = Pick<Document, 'visibilityState' | 'addEventListener' | 'removeEventListener'>;

/** Runs `task` under a screen wake lock, asked for again whenever the page becomes visible. Never fails for want of one. */
export async function keepAwake<T>(
  task: () => Promise<T>,
  page: Page,
  wakeLock: WakeLockSource | undefined,
): Promise<T> {
  if (!wakeLock) return task();
  let held: Promise<{ release(): Promise<void> } | undefined> = Promise.resolve(undefined);
  const ask = () => {
    // refused on low battery, for instance: the task runs all the same
    if (page.visibilityState === 'visible') held = wakeLock.request('screen').catch(() => undefined);
  };
  ask();
  page.addEventListener('visibilitychange', ask);
  try {
    return await task();
  } finally {
    page.removeEventListener('visibilitychange', ask);
    void held.then((lock) => lock?.release());
  }
}
