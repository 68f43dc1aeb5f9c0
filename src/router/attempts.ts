// The loop of a request: choose a model, wait for the account's minute, send, and on a failure before the answer began go on to the
// next model. At most four attempts, one wall clock; waiting for the minute is outside it, one window at most.
import { openAnswer, type Answer } from './answer';
import { longestQueue, type Account } from './account';
import { pickWeighted } from './choose';
import { AttemptError, rules, type Failure, type FailureKind } from './failure';
import { maxAttempts } from './failure-memory';
import type { Health } from './health';
import type { Model } from './model-record';
import { brokenAnswer, requestErrorOf, RequestError } from './openai/errors';
import type { RouterEvent } from './page-hooks';
import type { Usage } from './upstream-stream';
import type { Clock } from './watchdog';

/** From the start of a request to the first event of its last attempt, in ms. */
const wallClock = 45_000;

/** What a request asks of the loop. */
export type Plan = {
  /** The models that meet it and are not in `tried`. */
  readonly candidates: (tried: ReadonlySet<string>) => readonly Model[];
  readonly weight: (model: Model) => number;
  /** Asked first where it is a candidate (stickiness). */
  readonly preferred: string | undefined;
  /** An exact id: no other model is asked, and its cool-down may be ignored. */
  readonly isExact: boolean;
  readonly ignoresCoolDown: boolean;
  /** The request itself narrows by data policy, so a policy failure says nothing about the account. */
  readonly hasOwnPolicy: boolean;
  readonly random: () => number;
  readonly attemptsSpent: number; // by earlier failures of the same body
  readonly send: (model: Model, hasMoreRoom: boolean, signal: AbortSignal) => Promise<Response>;
};

export type AttemptDeps = {
  readonly clock: Clock;
  readonly health: Health;
  readonly account: Account;
  /** What a failure says about the model, for the registry. */
  readonly noteFailure: (model: Model, kind: FailureKind) => void;
  readonly onEvent: (event: RouterEvent) => void;
  /** The answer's own account of itself, for the check that it was free. */
  readonly onUsage: (model: Model, usage: Usage) => void;
};

export type Attempts<T> = {
  readonly result: T;
  readonly model: Model;
  readonly count: number; // earlier failures of the same body included
};

/** The end of the loop without an answer. */
export class AttemptsFailed extends Error {
  override readonly name = 'AttemptsFailed';
  readonly error: RequestError;
  readonly count: number;

  constructor(error: RequestError, count: number) {
    super(error.message);
    this.error = error;
    this.count = count;
  }
}

/**
 * Runs the loop until `use` has taken an answer. `use` may throw an AttemptError to have it replaced (an answer that does not fit
 * its schema), which only a caller that has sent nothing to its client may do. Throws AttemptsFailed; rejects on abort.
 */
export async function runAttempts<T>(
  plan: Plan,
  deps: AttemptDeps,
  use: (answer: Answer, model: Model, count: number) => Promise<T>,
  signal: AbortSignal,
): Promise<Attempts<T>> {
  const { clock, health, account, onEvent } = deps;
  const tried = new Set<string>();
  const once = new Set<FailureKind>();
  let count = plan.attemptsSpent;
  let deadline = clock.now() + wallClock;
  let queueLeftMs = longestQueue;
  let last: Failure | undefined;
  let again: Model | undefined; // the same model, after the account's minute was full
  const fail = (error: RequestError) => new AttemptsFailed(error, count);

  for (;;) {
    if (count >= maxAttempts) throw fail(finalError(last, plan));
    if (clock.now() >= deadline) {
      throw fail(new RequestError(504, 'timeout', 'No free model answered in time.'));
    }
    const model = again ?? choose(plan, health, tried, clock.now);
    again = undefined;
    if (model instanceof RequestError) {
      const isPools = model.status === 429 && last?.kind === 'pool';
      throw fail(last && !isPools ? finalError(last, plan) : model);
    }

    const place = await account.admit(queueLeftMs, signal, (until) => onEvent({ kind: 'waiting', until }));
    if ('stop' in place) throw fail(requestErrorOf(place.stop.failure));
    if ('fullUntil' in place) {
      const retryAfterMs = place.fullUntil - clock.now();
      throw fail(
        new RequestError(429, 'rate_limit_exceeded', "The account's minute is full.", { retryAfterMs }),
      );
    }
    deadline += place.waitedMs;
    queueLeftMs -= place.waitedMs;

    tried.add(model.id);
    count++;
    onEvent({ kind: 'attempt-start', model: model.id, attempt: count });
    const start = clock.now();
    let isCommitted = false;
    try {
      const hasMoreRoom = last?.kind === 'empty' && last.upstream['finish_reason'] === 'length';
      const input = {
        send: (attemptSignal: AbortSignal) => plan.send(model, hasMoreRoom, attemptSignal),
        deadline,
        onReasoning: (text: string) => onEvent({ kind: 'reasoning', text }),
      };
      const answer = await openAnswer(input, clock, signal);
      isCommitted = true;
      health.firstToken(model.id, answer.firstTokenMs);
      const result = await use(watched(answer, model, deps), model, count);
      const attempt = {
        model: model.id,
        durationMs: answer.firstTokenMs,
        failure: undefined,
        message: undefined,
      };
      onEvent({ kind: 'attempt-end', attempt });
      return { result, model, count };
    } catch (error) {
      if (!(error instanceof AttemptError)) throw error;
      const { failure } = error;
      last = failure;
      const { kind, message } = failure;
      const durationMs = clock.now() - start;
      onEvent({ kind: 'attempt-end', attempt: { model: model.id, durationMs, failure: kind, message } });
      if (!isCommitted || kind === 'schema') health.failed(model.id, failure); // else `watched` has told it
      if (isCommitted && kind !== 'schema') throw fail(brokenAnswer(failure));
      deps.noteFailure(model, failure.kind);
      if (!(failure.kind === 'data-policy' && plan.hasOwnPolicy)) {
        const isOnlyModel = plan.candidates(tried).length === 0;
        await account.failed(failure, model.id, isOnlyModel && !plan.isExact);
      }
      const { reaction } = rules[failure.kind];
      if (reaction === 'wait') again = model;
      else if (reaction === 'surface' || reaction === 'stop' || plan.isExact)
        throw fail(requestErrorOf(failure));
      else if (reaction === 'hop-once') {
        if (once.has(failure.kind)) throw fail(requestErrorOf(failure));
        once.add(failure.kind);
      }
    }
  }
}

/** The next model, or the error of there being none. */
function choose(
  plan: Plan,
  health: Health,
  tried: ReadonlySet<string>,
  now: () => number,
): Model | RequestError {
  const candidates = plan.candidates(tried);
  const awake = candidates.filter(({ id }) => plan.ignoresCoolDown || !health.isCooling(id));
  const preferred = awake.find(({ id }) => id === plan.preferred);
  const model = preferred ?? pickWeighted(awake, plan.weight, plan.random);
  if (model) return model;
  const all = plan.candidates(new Set());
  if (all.length === 0 || !all.every(({ id }) => health.isCooling(id))) {
    return new RequestError(503, 'no_free_model', 'No free model fits the request now.');
  }
  const waits = all.map(({ id }) => health.of(id).coolUntil);
  const names = plan.isExact ? 'The model is' : 'All free models that fit are';
  const retryAfterMs = Math.max(0, Math.min(...waits) - now());
  return new RequestError(
    429,
    'rate_limit_exceeded',
    `${names} cooling down after failures; the first is back in ${Math.ceil(retryAfterMs / 1000)} s.`,
    { retryAfterMs },
  );
}

/** What the client is told when all attempts are spent, or no model is left. */
function finalError(last: Failure | undefined, plan: Plan): RequestError {
  if (last === undefined)
    return new RequestError(503, 'no_free_model', 'No free model fits the request now.');
  const error = requestErrorOf(last);
  // The cause of the last failure where it is about the request or the account; else that all failed.
  if (plan.isExact || last.kind === 'context' || last.kind === 'data-policy' || last.kind === 'minute')
    return error;
  return new RequestError(
    503,
    error.status === 503 ? error.code : 'upstream_error',
    `All attempts failed. The last: ${last.message}`,
    {
      metadata: last.upstream,
    },
  );
}

/** The answer, with the health of its model and the account told how it went. */
function watched(answer: Answer, model: Model, { clock, health, account, onUsage }: AttemptDeps): Answer {
  async function* pieces() {
    const start = clock.now();
    let characters = 0;
    let tokens: number | undefined;
    try {
      for await (const group of answer.pieces) {
        for (const { text, reasoning, usage } of group) {
          characters += text.length + reasoning.length;
          if (!usage) continue;
          tokens = usage.completion_tokens ?? undefined;
          onUsage(model, usage);
        }
        yield group;
      }
    } catch (error) {
      if (error instanceof AttemptError) health.failed(model.id, error.failure);
      throw error;
    }
    health.succeeded(model.id, tokens ?? characters / 4, clock.now() - start);
    await account.answered();
  }
  return { ...answer, pieces: pieces() };
}
