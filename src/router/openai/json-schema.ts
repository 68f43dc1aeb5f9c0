// Checks an answer against the JSON schema that the request asked for. The validator interprets (the page forbids eval) and fetches nothing.
import { Validator } from '@cfworker/json-schema';
import { AttemptError, ownFailure } from '../failure';
import type { ResponseFormat } from './chat-request';

/** A whole answer inside one code fence, as many models write JSON. */
const fence = /^\s*```(?:json)?\s*\n([^]*?)\n\s*```\s*$/;

/** The answer's text, without a code fence around it. Throws AttemptError('schema') where it does not fit. */
export function checkedJson(text: string, format: ResponseFormat | undefined): string {
  if (format?.type !== 'json_schema') return text;
  const json = fence.exec(text)?.[1] ?? text;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw mismatch(error instanceof Error ? error.message : 'not JSON');
  }
  const { schema } = format.json_schema;
  const problem = schema && firstProblem(schema, value);
  if (problem !== undefined) throw mismatch(problem);
  return json;
}

function firstProblem(schema: Readonly<Record<string, unknown>>, value: unknown): string | undefined {
  try {
    const { valid, errors } = new Validator(schema, '2020-12').validate(value);
    return valid ? undefined : `${errors[0]?.instanceLocation ?? ''} ${errors[0]?.error ?? ''}`.trim();
  } catch {
    return undefined; // a schema that refers to another one cannot be checked here, and is not the model's fault
  }
}

function mismatch(words: string): AttemptError {
  return new AttemptError(
    ownFailure('schema', `The answer does not fit the JSON schema: ${words.slice(0, 300)}`),
  );
}
