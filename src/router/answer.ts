// One attempt up to the commit point: the first text, tool call, refusal or image. Until then nothing has gone to the client, so the
// attempt may fail quietly; reasoning is kept back and counts as life. Afterwards the answer is a stream with an idle time-out.
import { AttemptError, ownFailure } from './failure';
import { isVisible, readPieces, type Piece } from './upstream-stream';
import { createWatchdog, orAborted, type Clock } from './watchdog';

/** All in ms. */
const timeouts = {
  silence: 20_000, // from sending to the first event
  comments: 40_000, // the same, where comments show that somebody works on it
  reasoning: 120_000, // from the first reasoning to the first visible token
  idle: 30_000, // between two events
  finished: 5_000, // from the finish reason to the end: the usage may follow
} as const;

export type Answer = {
  readonly firstTokenMs: number;
  /** The groups of pieces from the first visible one, which carries the reasoning before it. Throws an AttemptError. */
  readonly pieces: AsyncGenerator<readonly Piece[], void, undefined>;
  /** Closes the upstream. Does nothing where it has ended. */
  close(): void;
};

export type AttemptInput = {
  readonly send: (signal: AbortSignal) => Promise<Response>;
  readonly deadline: number; // ms since 1970: the request's wall clock, for the first event
  readonly onReasoning: (text: string) => void;
};

/**
 * Sends and waits for the first visible piece. Throws an AttemptError where there is none; rejects when `signal` aborts.
 * An abort of `signal` closes the upstream, before and after.
 */
export async function openAnswer(input: AttemptInput, clock: Clock, signal: AbortSignal): Promise<Answer> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  let hasExpired = false;
  const watchdog = createWatchdog(clock, () => {
    hasExpired = true;
    controller.abort();
  });
  const close = () => {
    watchdog.stop();
    signal.removeEventListener('abort', onAbort);
    controller.abort();
  };
  const toError = (error: unknown): unknown => {
    if (controller.signal.aborted && !hasExpired) return controller.signal.reason; // our reader left
    if (hasExpired) return new AttemptError(ownFailure('timeout', 'The model did not answer in time.'));
    if (error instanceof AttemptError) return error;
    return new AttemptError(ownFailure('cut-off', 'The connection to the model broke.'));
  };

  const start = clock.now();
  const limit = (ms: number) => Math.min(start + ms, input.deadline);
  watchdog.set(limit(timeouts.silence));
  let source: AsyncGenerator<readonly Piece[], void, undefined>;
  let held: Piece[] = [];
  let reasoningSince: number | undefined;
  try {
    const response = await orAborted(input.send(controller.signal), controller.signal);
    const onComment = () => {
      if (reasoningSince === undefined) watchdog.set(limit(timeouts.comments));
    };
    source = readPieces(response, clock.now, onComment, controller.signal);
    for (;;) {
      const next = await orAborted(source.next(), controller.signal);
      if (next.done) throw new AttemptError(emptyAnswer(held));
      held.push(...next.value);
      if (held.some(isVisible)) break;
      const reasoning = next.value.map((piece) => piece.reasoning).join('');
      if (reasoning === '') continue;
      input.onReasoning(reasoning);
      reasoningSince ??= clock.now();
      watchdog.set(Math.min(reasoningSince + timeouts.reasoning, clock.now() + timeouts.idle));
    }
  } catch (error) {
    const reason = toError(error);
    close();
    throw reason;
  }
  watchdog.set(Infinity);

  async function* pieces(): AsyncGenerator<readonly Piece[], void, undefined> {
    let hasFinish = held.some(({ finish }) => finish !== undefined);
    try {
      yield joinReasoning(held);
      held = [];
      for (;;) {
        watchdog.set(clock.now() + (hasFinish ? timeouts.finished : timeouts.idle));
        const next = await orAborted(source.next(), controller.signal);
        watchdog.set(Infinity); // a slow reader of ours is not a slow model
        if (next.done) return;
        hasFinish ||= next.value.some(({ finish }) => finish !== undefined);
        yield next.value;
      }
    } catch (error) {
      const reason = toError(error);
      if (!hasFinish || !(reason instanceof AttemptError) || reason === error) throw reason;
      // All was said; only the stream did not end as it should.
    } finally {
      close();
    }
  }
  return { firstTokenMs: clock.now() - start, pieces: pieces(), close };
}

function emptyAnswer(held: readonly Piece[]) {
  const isLong = held.some(({ finish }) => finish === 'length');
  const failure = ownFailure('empty', 'The model gave an empty answer.');
  return { ...failure, upstream: { finish_reason: isLong ? 'length' : 'stop' } };
}

/** The pieces with all reasoning in the first. */
function joinReasoning(pieces: readonly Piece[]): readonly Piece[] {
  const reasoning = pieces.map((piece) => piece.reasoning).join('');
  return pieces.map((piece, i) => ({ ...piece, reasoning: i === 0 ? reasoning : '' }));
}
