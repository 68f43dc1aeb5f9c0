// Pieces as a response body, on the mock's clock, with the end that the client saw: all of it, or it left before.
import { assert } from '../../../base/assert';
import type { Piece } from './answer-wire';

/** Time as the mock and what it tests see it; `sleep(Infinity)` ends with the signal alone. */
export type Clock = {
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
};

export type BodyEnd = 'sent' | 'dropped' | 'aborted';

/**
 * A body that makes each piece when it is asked for. `onEnd` is told once how it ended; the signal, or a cancelled body, is a client
 * that left. `splitBytes` cuts texts into network chunks of so many bytes, anywhere.
 */
export function streamPieces(
  pieces: readonly Piece[],
  clock: Clock,
  signal: AbortSignal,
  onEnd: (end: BodyEnd) => void,
  splitBytes?: number,
): ReadableStream<Uint8Array> {
  const steps = splitBytes === undefined ? encode(pieces) : cutBytes(encode(pieces), splitBytes);
  const left = new AbortController();
  const gone = AbortSignal.any([signal, left.signal]);
  let position = 0;
  let isOver = false;
  const end = (how: BodyEnd) => {
    if (!isOver) onEnd(how);
    isOver = true;
  };

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        if (steps.length === 0) {
          end('sent');
          controller.close();
        }
        signal.addEventListener('abort', () => {
          if (isOver) return;
          end('aborted');
          controller.error(signal.reason);
        });
      },
      async pull(controller) {
        for (;;) {
          const step = steps[position++];
          assert(step !== undefined, 'pulled past the end');
          if (step instanceof Uint8Array) {
            controller.enqueue(step);
            // Closed with its last bytes, so that a client which stops reading there has read it all.
            if (position < steps.length) return;
            end('sent');
            return controller.close();
          }
          if (step.kind === 'drop') {
            end('dropped');
            return controller.error(new TypeError('terminated'));
          }
          try {
            await clock.sleep(step.kind === 'hang' ? Infinity : step.ms, gone);
          } catch {
            return; // the client left: the abort above or `cancel` has said so
          }
        }
      },
      cancel() {
        end('aborted');
        left.abort();
      },
    },
    { highWaterMark: 0 },
  );
}

type Step = Uint8Array | Exclude<Piece, { kind: 'text' }>;

function encode(pieces: readonly Piece[]): Step[] {
  const encoder = new TextEncoder();
  return pieces.map((piece) => (piece.kind === 'text' ? encoder.encode(piece.text) : piece));
}

/** Joins neighbouring texts and cuts them anew, so that a chunk can hold many events, or a part of a character. */
function cutBytes(steps: readonly Step[], size: number): Step[] {
  const cut: Step[] = [];
  let held: Uint8Array[] = [];
  const flush = () => {
    const bytes = Buffer.concat(held);
    for (let at = 0; at < bytes.length; at += size) cut.push(new Uint8Array(bytes.subarray(at, at + size)));
    held = [];
  };
  for (const step of steps) {
    if (step instanceof Uint8Array) held.push(step);
    else {
      flush();
      cut.push(step);
    }
  }
  flush();
  return cut;
}
