// A failure as the stores keep it: plain data, from which the page makes its sentence. A bug is a failure of its own kind.
import { isAppError, type ErrorCode, type ErrorDetails } from '../base/errors';

export type FailureCode = ErrorCode | 'unexpected';

export type Failure = {
  readonly code: FailureCode;
  readonly details: ErrorDetails;
  readonly technical: string; // behind a disclosure: what a maintainer wants to know
};

/** Any thrown value as a failure. */
export function toFailure(error: unknown): Failure {
  const technical = describe(error);
  if (isAppError(error)) return { code: error.code, details: error.details, technical };
  return { code: 'unexpected', details: {}, technical };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error) return `${error.message}\n${cause.message}`;
  return typeof cause === 'string' ? `${error.message}\n${cause}` : error.message;
}
