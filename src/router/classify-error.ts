// Reads OpenRouter's error bodies. Order of evidence: limit_source, availability code, error_type, the message, the HTTP status;
// order of waits: retry_after_seconds, availability.retry_after, the headers inside the body (a browser sees no others).
import { z } from 'zod';
import type { Failure, FailureKind } from './failure';
import { redact } from './redact';

const text = z.string().optional().catch(undefined);
const seconds = z.coerce.number().nonnegative().optional().catch(undefined);

const metadataSchema = z.object({
  limit_source: text,
  error_type: text,
  raw: text,
  provider_name: text,
  failed_routing_step: text,
  retry_after_seconds: seconds,
  headers: z.record(z.string(), z.coerce.string()).optional().catch(undefined),
  patterns: z.array(z.unknown()).optional().catch(undefined),
  reasons: z.array(z.unknown()).optional().catch(undefined),
});

const errorSchema = z.object({
  code: z.union([z.number(), z.string()]).optional().catch(undefined),
  message: text,
  metadata: metadataSchema.optional().catch(undefined),
  availability: z.object({ code: text, retry_after: seconds }).optional().catch(undefined),
});

type UpstreamError = z.infer<typeof errorSchema>;

// The error of a body: {error: {…}}, {error: "words"}, or the shape of a failed validation {success: false, error: {name, message}}.
const bodySchema = z.object({
  error: z.union([errorSchema, z.string().transform((message): UpstreamError => ({ message }))]),
});

const byLimitSource: Readonly<Record<string, FailureKind>> = {
  openrouter_free_tier_daily: 'day',
  openrouter_free_tier_per_minute: 'minute',
  openrouter_credits: 'credits',
  openrouter_key_limit: 'key-limit',
  openrouter_in_flight_budget: 'in-flight',
  upstream_provider_shared_pool: 'pool',
};

const byAvailability: Readonly<Record<string, FailureKind>> = {
  model_not_found: 'bad-model-id',
  wrong_endpoint: 'bad-model-id',
  no_endpoints: 'gone',
  model_deprecated: 'gone',
  model_unavailable_upstream: 'gone',
  free_variant_ended: 'paid-now',
  region_restricted: 'gone',
  privacy_restricted: 'data-policy',
  constraint_filtered: 'no-parameters',
  capacity_exhausted: 'pool',
  temporarily_unavailable: 'provider',
};

const byErrorType: Readonly<Record<string, FailureKind>> = {
  context_length_exceeded: 'context',
  token_limit_exceeded: 'context',
  max_tokens_exceeded: 'context',
  string_too_long: 'context',
  authentication: 'key-invalid',
  payment_required: 'credits',
  provider_overloaded: 'provider',
  provider_unavailable: 'provider',
  timeout: 'provider',
  server: 'server',
  content_policy_violation: 'moderation',
  refusal: 'moderation',
  invalid_prompt: 'bad-input',
  payload_too_large: 'bad-input',
  invalid_image: 'bad-input',
  image_too_large: 'bad-input',
  image_too_small: 'bad-input',
  unsupported_image_format: 'bad-input',
  image_not_found: 'bad-input',
  image_download_failed: 'bad-input',
};

// In this order: the first that fits.
const byMessage: readonly (readonly [RegExp, FailureKind])[] = [
  [/free-models-per-day/i, 'day'],
  [/free-models-per-min/i, 'minute'],
  [/key limit exceeded/i, 'key-limit'],
  [/insufficient credits|never purchased credits|requires? .{0,40}balance/i, 'credits'],
  [/data policy/i, 'data-policy'],
  [/unavailable for free/i, 'paid-now'],
  [/No :free endpoints available/i, 'no-free-endpoints'],
  [/endpoints found that support (tool use|the provided 'tool_choice')/i, 'no-tools'],
  [/No endpoints found that can handle/i, 'no-parameters'],
  [/No endpoints found|no longer available|only available on/i, 'gone'],
  [/not a valid model ID/i, 'bad-model-id'],
  [/maximum context length|context (length|window).{0,40}exceed/i, 'context'],
  [/Input required|must have at least 1 token/i, 'bad-input'],
  [/temporarily rate-limited upstream/i, 'pool'],
  [/overloaded|ResourceExhausted|disconnected/i, 'provider'],
];

function byStatus(status: number, error: UpstreamError | undefined): FailureKind {
  switch (status) {
    case 400:
    case 413:
    case 422:
      return 'bad-input';
    case 401:
      return /User not found/i.test(error?.message ?? '') ? 'key-invalid' : 'key-missing';
    case 402:
      return 'credits';
    case 403:
      return error?.metadata?.patterns ? 'guardrail' : error?.metadata?.reasons ? 'moderation' : 'refused';
    case 404:
      return 'gone';
    case 429:
      return 'pool';
    case 408:
    case 502:
    case 503:
    case 504:
    case 524:
    case 529:
      return 'provider';
    default:
      return status >= 400 && status < 500 ? 'refused' : 'server';
  }
}

const ownValue = <T>(table: Readonly<Record<string, T>>, key: string | undefined): T | undefined =>
  key !== undefined && Object.hasOwn(table, key) ? table[key] : undefined;

/**
 * What an answer with an error means. `status` is the HTTP status (200 where the error came inside a good answer), `body` the
 * parsed JSON, or undefined where it was not JSON. `now` in ms since 1970.
 */
export function classifyError(status: number, body: unknown, now: number): Failure {
  const error = bodySchema.safeParse(body).data?.error;
  const code = Number(error?.code);
  const real = status >= 400 ? status : code >= 400 && code < 600 ? code : 502; // "server_error" inside a 200 is the provider's
  const words = `${error?.message ?? ''} ${error?.metadata?.raw ?? ''}`;
  const kind =
    ownValue(byLimitSource, error?.metadata?.limit_source) ??
    ownValue(byAvailability, error?.availability?.code) ??
    ownValue(byErrorType, error?.metadata?.error_type) ??
    byMessage.find(([pattern]) => pattern.test(words))?.[1] ??
    byStatus(real, error);
  const headers = new Map(
    Object.entries(error?.metadata?.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const resetAt = readReset(headers.get('x-ratelimit-reset'));
  const wait =
    error?.metadata?.retry_after_seconds ??
    error?.availability?.retry_after ??
    positive(headers.get('retry-after'));
  return {
    kind,
    status: real,
    message: redact(error?.message?.trim() || `OpenRouter answered with status ${real}.`).slice(0, 2000),
    waitMs: wait !== undefined ? wait * 1000 : resetAt !== undefined ? Math.max(0, resetAt - now) : undefined,
    resetAt,
    limit: positive(headers.get('x-ratelimit-limit')),
    upstream: upstreamWords(real, error),
  };
}

function upstreamWords(status: number, error: UpstreamError | undefined): Failure['upstream'] {
  const { provider_name, error_type, limit_source, raw } = error?.metadata ?? {};
  const words = { code: error?.code, status, provider_name, error_type, limit_source, raw };
  return Object.fromEntries(
    Object.entries(words).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === 'string' ? redact(value).slice(0, 1000) : value]],
    ),
  );
}

function positive(value: string | undefined): number | undefined {
  const number = Number(value);
  return value !== undefined && Number.isFinite(number) && number >= 0 ? number : undefined;
}

// Milliseconds since 1970 on the wire; a value in seconds is mended.
function readReset(value: string | undefined): number | undefined {
  const number = positive(value);
  return number === undefined || number === 0 ? undefined : number < 1e11 ? number * 1000 : number;
}
