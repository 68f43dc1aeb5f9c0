// How much memory the scripts of a page's workers take while something runs: V8's heap and what hangs on it, array buffers above all,
// as the browser's own tools count it. Garbage counts until it is collected. Memory of WebAssembly and of the GPU is not among it.

const readEveryMs = 20;

/**
 * Runs `work` and answers its result, with the most bytes that each worker took at once: those that there are, and those that start
 * meanwhile, by the file name of their script without its hash ("engine.worker").
 * @template T
 * @param {import('@playwright/test').Page} page
 * @param {() => Promise<T>} work
 * @returns {Promise<{ readonly result: T, readonly peaks: Readonly<Record<string, number>> }>}
 */
export async function watchWorkers(page, work) {
  const session = await page.context().newCDPSession(page);
  const names = new Map(); // by session
  const answers = new Map(); // what to do with them, by the number of the question
  session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
    names.set(sessionId, /([^/]+?)(?:-[\w-]{8})?\.js$/.exec(targetInfo.url)?.[1] ?? targetInfo.url);
  });
  session.on('Target.detachedFromTarget', ({ sessionId }) => names.delete(sessionId));
  session.on('Target.receivedMessageFromTarget', ({ message }) => {
    const { id, result } = JSON.parse(message);
    answers.get(id)?.(result);
    answers.delete(id);
  });
  await session.send('Target.setAutoAttach', {
    autoAttach: true,
    waitForDebuggerOnStart: false,
    flatten: false, // so that messages to workers go through this session
  });

  const peaks = {};
  let id = 0;
  const read = (sessionId, name) => {
    answers.set(++id, ({ usedSize, backingStorageSize }) => {
      peaks[name] = Math.max(peaks[name] ?? 0, usedSize + backingStorageSize);
    });
    const message = JSON.stringify({ id, method: 'Runtime.getHeapUsage' });
    session.send('Target.sendMessageToTarget', { sessionId, message }).catch(() => {}); // the worker has just ended
  };
  const timer = setInterval(() => names.forEach((name, sessionId) => read(sessionId, name)), readEveryMs);
  try {
    return { result: await work(), peaks };
  } finally {
    clearInterval(timer);
    await session.detach();
  }
}
