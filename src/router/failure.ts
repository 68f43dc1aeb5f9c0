// What can go wrong with an attempt, as a closed union, and what follows from each: how the router reacts and what the client is told.
// The cases E1 to E25 of OpenRouter's error bodies are read by classify-error.ts.

export type FailureKind =
  | 'key-missing' // E1
  | 'key-invalid' // E2
  | 'credits' // E3: a negative balance blocks free models too
  | 'key-limit' // E4
  | 'in-flight' // E5
  | 'moderation' // E6
  | 'guardrail' // E7
  | 'gone' // E8, and "deprecated" and the like
  | 'paid-now' // E9
  | 'data-policy' // E10
  | 'no-tools' // E11
  | 'no-parameters' // E12
  | 'no-free-endpoints' // E13
  | 'bad-model-id' // E14
  | 'bad-input' // E15
  | 'context' // E16
  | 'day' // E17, E18
  | 'minute' // E19
  | 'pool' // E20
  | 'provider' // E21, E22
  | 'empty' // E23
  | 'server' // E24
  | 'refused' // another 4xx
  | 'timeout' // no token in time
  | 'cut-off' // the stream ended without an end
  | 'network' // fetch itself failed
  | 'schema'; // the answer does not fit the asked JSON schema

/**
 * hop: the next model. hop-once: the next model, but only once a request. wait: the account's minute is full, then the same again.
 * stop: no request is sent until the cause is gone. surface: the client is told, nothing else would help.
 */
type Reaction = 'hop' | 'hop-once' | 'wait' | 'stop' | 'surface';

export type Failure = {
  readonly kind: FailureKind;
  readonly status: number; // upstream's, 0 where there was none
  readonly message: string; // redacted
  readonly waitMs: number | undefined; // upstream's advice
  readonly resetAt: number | undefined; // ms since 1970
  readonly limit: number | undefined; // requests, of 'day' and 'minute'
  readonly upstream: Readonly<Record<string, string | number>>; // upstream's own words for error.metadata, redacted
};

type Rule = {
  readonly reaction: Reaction;
  readonly status: number;
  readonly code: string;
  /** ladder: 30 s → 1 → 5 → 15 min. until-listed: out until the list was read again. */
  readonly model: 'ladder' | 'until-listed' | 'fault' | 'blameless';
};

const rule = (
  reaction: Reaction,
  status: number,
  code: string,
  model: Rule['model'] = 'blameless',
): Rule => ({
  reaction,
  status,
  code,
  model,
});

/** Reaction, OpenAI's status and code, and what the failure means for the model. */
export const rules: Readonly<Record<FailureKind, Rule>> = {
  'key-missing': rule('stop', 401, 'invalid_api_key'),
  'key-invalid': rule('stop', 401, 'invalid_api_key'),
  credits: rule('stop', 402, 'insufficient_quota'),
  'key-limit': rule('stop', 402, 'insufficient_quota'),
  'in-flight': rule('wait', 429, 'rate_limit_exceeded'),
  moderation: rule('surface', 403, 'content_policy_violation'),
  guardrail: rule('surface', 403, 'content_policy_violation'),
  gone: rule('hop', 404, 'model_not_found', 'until-listed'),
  'paid-now': rule('hop', 404, 'model_not_found', 'until-listed'),
  'data-policy': rule('hop', 403, 'data_policy', 'until-listed'),
  'no-tools': rule('hop', 503, 'tools_unsupported'),
  'no-parameters': rule('hop', 503, 'parameters_unsupported'),
  'no-free-endpoints': rule('surface', 503, 'no_free_model'),
  'bad-model-id': rule('hop', 404, 'model_not_found', 'until-listed'),
  'bad-input': rule('surface', 400, 'invalid_request'),
  context: rule('hop', 400, 'context_length_exceeded'),
  day: rule('stop', 429, 'insufficient_quota'),
  minute: rule('wait', 429, 'rate_limit_exceeded'),
  pool: rule('hop', 429, 'rate_limit_exceeded', 'ladder'),
  provider: rule('hop', 503, 'upstream_error', 'ladder'),
  empty: rule('hop-once', 503, 'empty_answer', 'fault'),
  server: rule('hop', 503, 'upstream_error', 'ladder'),
  refused: rule('surface', 400, 'upstream_refused'),
  timeout: rule('hop', 503, 'upstream_timeout', 'ladder'),
  'cut-off': rule('hop', 503, 'upstream_cut_off', 'fault'),
  network: rule('hop-once', 503, 'connection_failed'),
  schema: rule('hop-once', 503, 'schema_mismatch', 'fault'),
};

/** A failure that the router found itself. */
export function ownFailure(kind: FailureKind, message: string): Failure {
  return {
    kind,
    status: 0,
    message,
    waitMs: undefined,
    resetAt: undefined,
    limit: undefined,
    upstream: {},
  };
}

/** An attempt's failure on its way to the loop that decides what to do. */
export class AttemptError extends Error {
  override readonly name = 'AttemptError';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}
