import { expose, wrap, type Remote } from 'comlink';
import { afterEach, describe, expect, it } from 'vitest';
import { AppError, isAbort } from './errors';
import { follow, serve, type Emit, type Job } from './job';
import './wire';

async function* count(to: number, signal: AbortSignal): Job<number, string> {
  for (let i = 1; i <= to; i++) {
    await Promise.resolve();
    signal.throwIfAborted();
    yield i;
  }
  return 'end';
}

const api = {
  stopped: 0,
  async count(to: number, emit: Emit<number>, signal: AbortSignal): Promise<string> {
    try {
      return await serve(count(to, signal), emit);
    } catch (error) {
      this.stopped++;
      throw error;
    }
  },
  fail(code: 'bad-file' | ''): string {
    if (code === '') throw new TypeError('plain');
    throw new AppError(code, { file: 'a.safetensors', sizeBytes: 3 }, new Error('inner'));
  },
};

describe('the worker wire', () => {
  const ports: MessagePort[] = [];
  const connect = (): Remote<typeof api> => {
    const { port1, port2 } = new MessageChannel();
    ports.push(port1, port2);
    expose(api, port1);
    return wrap<typeof api>(port2);
  };
  afterEach(() => {
    for (const port of ports.splice(0)) port.close();
  });

  const start = (remote: Remote<typeof api>, to: number, signal: AbortSignal) =>
    follow<number, string>((emit, stop) => remote.count(to, emit, stop), signal);

  it('brings every event in order, then the result', async () => {
    const job = start(connect(), 50, new AbortController().signal);
    const events: number[] = [];
    let next = await job.next();
    while (!next.done) {
      events.push(next.value);
      next = await job.next();
    }
    expect(events).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(next.value).toBe('end');
  });

  it('rejects with AbortError on both sides when the signal aborts', async () => {
    const controller = new AbortController();
    const before = api.stopped;
    const job = start(connect(), 1e6, controller.signal);
    await job.next();
    controller.abort();
    const error: unknown = await (async () => {
      for (;;) if ((await job.next()).done) return 'no error';
    })().catch((reason: unknown) => reason);
    expect(isAbort(error)).toBe(true);
    expect(api.stopped).toBe(before + 1);
  });

  it('stops the job when its loop is left', async () => {
    const before = api.stopped;
    for await (const event of start(connect(), 1e6, new AbortController().signal)) if (event === 3) break;
    await expect.poll(() => api.stopped).toBe(before + 1);
  });

  it('keeps code, details and cause of an AppError, and the class', async () => {
    const error: unknown = await connect()
      .fail('bad-file')
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({
      code: 'bad-file',
      details: { file: 'a.safetensors', sizeBytes: 3 },
      cause: 'Error: inner',
    });
  });

  it('leaves other errors as comlink brings them', async () => {
    await expect(connect().fail('')).rejects.toMatchObject({ name: 'TypeError', message: 'plain' });
  });
});
