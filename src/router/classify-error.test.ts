import { describe, expect, it } from 'vitest';
import { classifyError } from './classify-error';
import type { FailureKind } from './failure';

const now = Date.UTC(2026, 9, 2, 12);
const midnight = Date.UTC(2026, 9, 3);

// The bodies of OpenRouter, word for word.
const cases: readonly (readonly [string, number, Record<string, unknown> | undefined, FailureKind])[] = [
  ['E1', 401, { message: 'No cookie auth credentials found', code: 401 }, 'key-missing'],
  ['E2', 401, { message: 'User not found.', code: 401 }, 'key-invalid'],
  [
    'E3',
    402,
    { message: 'Insufficient credits…', code: 402, metadata: { limit_source: 'openrouter_credits' } },
    'credits',
  ],
  ['E4', 402, { message: 'x', code: 402, metadata: { limit_source: 'openrouter_key_limit' } }, 'key-limit'],
  ['E4, older', 403, { message: 'Key limit exceeded (total limit)', code: 403 }, 'key-limit'],
  [
    'E5',
    402,
    { message: 'x', code: 402, metadata: { limit_source: 'openrouter_in_flight_budget' } },
    'in-flight',
  ],
  [
    'E6',
    403,
    { message: 'x', code: 403, metadata: { reasons: ['violence'], flagged_input: '…' } },
    'moderation',
  ],
  ['E7', 403, { message: 'x', code: 403, metadata: { patterns: ['secret'] } }, 'guardrail'],
  ['E8', 404, { message: 'No endpoints found for x/y:free.', code: 404 }, 'gone'],
  [
    'E9',
    404,
    {
      message:
        'This model is unavailable for free. The paid version is available now - use this slug instead: x/y',
      code: 404,
    },
    'paid-now',
  ],
  [
    'E10',
    404,
    {
      message:
        'No endpoints found matching your data policy (Free model training). Configure: https://openrouter.ai/settings/privacy',
      code: 404,
      metadata: { failed_routing_step: 'Filter by Data Policy' },
    },
    'data-policy',
  ],
  [
    'E11',
    404,
    { message: 'No endpoints found that support tool use. Try disabling "fn".', code: 404 },
    'no-tools',
  ],
  [
    'E11, choice',
    404,
    { message: "No endpoints found that support the provided 'tool_choice' value.", code: 404 },
    'no-tools',
  ],
  [
    'E12',
    404,
    { message: 'No endpoints found that can handle the requested parameters.', code: 404 },
    'no-parameters',
  ],
  [
    'E13',
    404,
    { message: 'No :free endpoints available for any resolved models', code: 404 },
    'no-free-endpoints',
  ],
  ['E14', 400, { message: 'x/y:free is not a valid model ID', code: 400 }, 'bad-model-id'],
  ['E15', 400, { message: 'Input required: specify "prompt" or "messages"', code: 400 }, 'bad-input'],
  [
    'E16',
    400,
    {
      message:
        "This endpoint's maximum context length is 8192 tokens. However, you requested about 9000 tokens",
      code: 400,
    },
    'context',
  ],
  [
    'E16, typed',
    400,
    { message: 'x', code: 400, metadata: { error_type: 'context_length_exceeded' } },
    'context',
  ],
  [
    'E17, words only',
    429,
    { message: 'Rate limit exceeded: free-models-per-day. Add 10 credits', code: 429 },
    'day',
  ],
  ['E18', 429, { message: 'Rate limit exceeded: free-models-per-day-high-balance. ', code: 429 }, 'day'],
  ['E19', 429, { message: 'Rate limit exceeded: free-models-per-min. ', code: 429 }, 'minute'],
  [
    'E20',
    429,
    {
      message: 'Provider returned error',
      code: 429,
      metadata: { raw: 'x/y:free is temporarily rate-limited upstream.', provider_error_code: '429' },
    },
    'pool',
  ],
  [
    'E21',
    503,
    { message: 'Provider returned error', metadata: { error_type: 'provider_overloaded' } },
    'provider',
  ],
  ['E21, 524', 524, undefined, 'provider'],
  [
    'E22',
    200,
    { message: 'Upstream error from Nvidia: Service temporarily overloaded', code: 502 },
    'provider',
  ],
  [
    'E22, exhausted',
    200,
    { message: 'ResourceExhausted: Worker local total request limit reached (32/32)' },
    'provider',
  ],
  ['E22, a word for a code', 200, { message: 'x', code: 'server_error' }, 'provider'],
  ['E22, a pool', 200, { message: 'x', code: 429 }, 'pool'],
  ['E24', 500, { message: 'Internal Server Error', code: 500 }, 'server'],
  ['E25', 502, undefined, 'provider'],
  [
    'availability',
    404,
    { message: 'x', code: 404, availability: { code: 'free_variant_ended' } },
    'paid-now',
  ],
  ['an unknown 4xx', 418, { message: 'x' }, 'refused'],
];

describe('classifyError', () => {
  it.each(cases)('%s', (_, status, error, kind) => {
    expect(classifyError(status, error && { error }, now).kind).toBe(kind);
  });

  it('reads the limit and the reset of the day in ms, and mends seconds', () => {
    const body = (reset: number) => ({
      error: {
        message: 'Rate limit exceeded: free-models-per-day',
        code: 429,
        metadata: { headers: { 'X-RateLimit-Limit': '50', 'X-RateLimit-Reset': String(reset) } },
      },
    });
    for (const reset of [midnight, midnight / 1000]) {
      expect(classifyError(429, body(reset), now)).toMatchObject({
        limit: 50,
        resetAt: midnight,
        waitMs: midnight - now,
      });
    }
  });

  it('takes the wait from the first source that has one', () => {
    const wait = (metadata: unknown, availability?: unknown) =>
      classifyError(429, { error: { message: 'x', metadata, availability } }, now).waitMs;
    const headers = { 'Retry-After': '7', 'X-RateLimit-Reset': String(now + 9000) };
    expect(wait({ retry_after_seconds: 3, headers }, { retry_after: 5 })).toBe(3000);
    expect(wait({ headers }, { retry_after: 5 })).toBe(5000);
    expect(wait({ headers })).toBe(7000);
    expect(wait({ headers: { 'X-RateLimit-Reset': String(now + 9000) } })).toBe(9000);
    expect(wait({})).toBeUndefined();
  });

  it('understands other shapes of an error, and none', () => {
    expect(
      classifyError(400, { success: false, error: { name: 'ZodError', message: '[…]' } }, now),
    ).toMatchObject({
      kind: 'bad-input',
      message: '[…]',
    });
    expect(classifyError(503, { error: 'busy' }, now).message).toBe('busy');
    expect(classifyError(503, '<html>', now).message).toBe('OpenRouter answered with status 503.');
    expect(
      classifyError(429, { error: { message: 'x', metadata: { limit_source: 'constructor' } } }, now).kind,
    ).toBe('pool');
  });

  it('keeps upstream words without keys and account ids', () => {
    const metadata = { provider_name: 'P', raw: 'key sk-or-v1-abc of user_1', error_type: 'server' };
    expect(classifyError(500, { error: { message: 'for user_1', code: 500, metadata } }, now)).toMatchObject({
      message: 'for [redacted]',
      upstream: { code: 500, status: 500, provider_name: 'P', raw: 'key [redacted] of [redacted]' },
    });
  });
});
