// Error answers in OpenAI's shape. All are final: our attempts are spent, so the client's own retries are told to rest.
import type { Failure } from '../failure';
import { rules } from '../failure';

/** A request that is answered with an error; `param` names the field that is at fault. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly status: number;
  readonly code: string;
  readonly param: string | null;
  readonly retryAfterMs: number | undefined;
  readonly metadata: Failure['upstream'];

  constructor(
    status: number,
    code: string,
    message: string,
    more: {
      readonly param?: string;
      readonly retryAfterMs?: number | undefined;
      readonly metadata?: Failure['upstream'];
    } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.param = more.param ?? null;
    this.retryAfterMs = more.retryAfterMs;
    this.metadata = more.metadata ?? {};
  }
}

/** A request that cannot be read or may not be sent: 400 with the field's name. */
export function badRequest(message: string, param?: string): RequestError {
  return new RequestError(400, 'invalid_request', message, param === undefined ? {} : { param });
}

/** The client's view of a failure of upstream. */
export function requestErrorOf(failure: Failure, retryAfterMs = failure.waitMs): RequestError {
  const { status, code } = rules[failure.kind];
  const own = failure.kind === 'refused' ? failure.status : status;
  return new RequestError(own, code, failure.message, { retryAfterMs, metadata: failure.upstream });
}

/** What the client is told when an answer breaks off after it began. */
export function brokenAnswer(failure: Failure): RequestError {
  const { code } = rules[failure.kind];
  return new RequestError(502, code, failure.message, { metadata: failure.upstream });
}

const types: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'insufficient_quota',
  403: 'permission_error',
  404: 'invalid_request_error',
  429: 'rate_limit_error',
};

/** The `error` object of a body or of an event in a stream. */
export function errorObject(error: RequestError): Record<string, unknown> {
  return {
    message: error.message,
    type: types[error.status] ?? (error.status < 500 ? 'invalid_request_error' : 'server_error'),
    param: error.param,
    code: error.code,
    ...(Object.keys(error.metadata).length > 0 && { metadata: error.metadata }),
  };
}

/** The whole answer. `retry-after` is only told where waiting that long is a thing a client does. */
export function errorResponse(error: RequestError, headers: Readonly<Record<string, string>>): Response {
  const seconds = Math.ceil((error.retryAfterMs ?? Infinity) / 1000);
  return new Response(JSON.stringify({ error: errorObject(error) }), {
    status: error.status,
    headers: {
      'content-type': 'application/json',
      'x-should-retry': 'false',
      ...(seconds <= 60 && { 'retry-after': String(seconds) }),
      ...headers,
    },
  });
}
