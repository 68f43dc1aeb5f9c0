// OpenRouter's errors, word for word as captured: E1 to E25 of the router's specification, each with the variants that were seen.
import type { Answer, Behaviour, Context } from './behaviour';

const second = 1000;
const minute = 60 * second;
const day = 24 * 60 * minute;

type Fields = {
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly availability?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly withUser?: boolean;
  /** Beside `error`. */
  readonly beside?: Readonly<Record<string, unknown>>;
  /** `error.code` where it is not the status: an error can come inside HTTP 200. */
  readonly code?: number | string;
};

function fail(
  status: number,
  message: string | ((context: Context) => string),
  fields: (context: Context) => Fields = () => ({}),
): Behaviour {
  return {
    kind: 'reply',
    status,
    body: (context) => {
      const { metadata, availability, withUser, beside, code = status } = fields(context);
      const text = typeof message === 'string' ? message : message(context);
      return {
        ...beside,
        error: { message: text, code, ...(metadata && { metadata }), ...(availability && { availability }) },
        ...(withUser === true && { user_id: context.userId }),
      };
    },
    headers: (context) => fields(context).headers ?? {},
  };
}

/** A limit of the account: the headers that a browser cannot read, and the same in the body. `reset` in ms since 1970. */
function limited(
  message: string,
  limit: (context: Context) => number,
  reset: (context: Context) => number,
  source: string,
  hint: string,
): Behaviour {
  return fail(429, message, (context) => {
    const headers = {
      'X-RateLimit-Limit': String(limit(context)),
      'X-RateLimit-Remaining': '0',
      'X-RateLimit-Reset': String(reset(context)),
    };
    return {
      headers: { ...headers, 'Retry-After': String(Math.ceil((reset(context) - context.now) / second)) },
      metadata: { headers, limit_source: source, remedy_hint: hint, provider_name: null },
      withUser: true,
    };
  });
}

const nextDay = ({ now }: Context) => (Math.floor(now / day) + 1) * day;
const nextMinute = ({ now }: Context) => (Math.floor(now / minute) + 1) * minute;

const pool = (
  extra: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
) =>
  fail(429, 'Provider returned error', ({ model }) => ({
    headers,
    metadata: {
      raw: `${model} is temporarily rate-limited upstream. Please retry shortly, or add your own key to accumulate your rate limits: https://openrouter.ai/settings/integrations`,
      provider_name: 'Mock Studio',
      is_byok: false,
      provider_error_code: '429',
      limit_source: 'upstream_provider_shared_pool',
      remedy_hint:
        'Retry shortly, add your own provider key (https://openrouter.ai/settings/integrations), or route to another provider with provider routing: https://openrouter.ai/docs/features/provider-routing',
      ...extra,
    },
    withUser: true,
  }));

const provider = (status: number, type: string) =>
  fail(status, 'Provider returned error', () => ({
    metadata: { error_type: type, provider_name: 'Mock Studio' },
  }));

const policy = (what: string) =>
  fail(404, `No endpoints found matching ${what}. Configure: https://openrouter.ai/settings/privacy`, () => ({
    metadata: {
      routing_funnel: [{ step: 'Initial Endpoints', endpoint_count: 1 }],
      failed_routing_step: 'Filter by Data Policy',
    },
  }));

// Documented, in no capture yet: routers may prefer it and must not need it.
const available = (status: number, code: string, more: Readonly<Record<string, unknown>> = {}) =>
  fail(status, `This model cannot be served now: ${code}.`, ({ model }) => ({
    availability: {
      code,
      retryable: status === 429 || status === 503,
      retry_after: null,
      requested_models: [model],
      affected_providers: ['Mock Studio'],
      excluded_by: null,
      fallback_models: ['acme/grand-400b'], // a paid one, to tempt
      constraint: null,
      docs_url: 'https://openrouter.ai/docs/errors',
      ...more,
    },
  }));

const empty = (answer: Answer): Behaviour => ({ kind: 'answer', answer });
const html = (status: number): Behaviour => ({
  kind: 'reply',
  status,
  body: () =>
    `<!DOCTYPE html><html><head><title>openrouter.ai | ${status}</title></head><body>cloudflare</body></html>`,
  headers: () => ({ 'Content-Type': 'text/html; charset=UTF-8' }),
});

/** Every case; the part before the dash is its number in the specification. */
export const errorCases = {
  'E1-cookie': fail(401, 'No cookie auth credentials found'),
  'E1-none': fail(401, 'No auth credentials found'),
  'E1-header': fail(401, 'Missing Authentication header'),
  'E2-user': fail(401, 'User not found.'),
  'E3-credits': fail(
    402,
    'Insufficient credits. Add more using https://openrouter.ai/settings/credits',
    () => ({
      metadata: { limit_source: 'openrouter_credits', remedy_hint: 'Add credits.' },
      withUser: true,
    }),
  ),
  'E4-key-cap': fail(402, 'This key has reached its limit.', () => ({
    metadata: { limit_source: 'openrouter_key_limit', remedy_hint: 'Raise the limit of the key.' },
    withUser: true,
  })),
  'E4-older': fail(
    403,
    'Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys',
  ),
  'E5-in-flight': fail(402, 'Too many requests are in flight for the remaining budget.', () => ({
    headers: { 'Retry-After': '2' },
    metadata: {
      limit_source: 'openrouter_in_flight_budget',
      reason: 'in_flight_budget_exhausted',
      retry_after_seconds: 2,
    },
    withUser: true,
  })),
  'E6-moderation': fail(403, 'Your input was flagged by moderation', ({ model }) => ({
    metadata: {
      reasons: ['violence'],
      flagged_input: 'the first words…',
      provider_name: 'Mock Studio',
      model_slug: model,
    },
  })),
  'E7-guardrail': fail(403, 'The request was blocked by a guardrail of your account', () => ({
    metadata: { patterns: ['secret-[0-9]+'] },
  })),
  'E8-gone': fail(404, ({ model }) => `No endpoints found for ${model}.`),
  'E9-paid-now': fail(404, ({ model }) => {
    const paid = model.replace(/:free$/, '');
    return `This model is unavailable for free. The paid version is available now - use this slug instead: ${paid}`;
  }),
  'E10-training': policy('your data policy (Free model training)'),
  'E10-publication': policy('your data policy (Free model publication)'),
  'E10-paid-training': policy('your data policy (Paid model training)'),
  'E10-guardrail': policy('your guardrail restrictions and data policy'),
  'E11-tools': fail(
    404,
    'No endpoints found that support tool use. Try disabling "fn". To learn more about provider routing, visit: https://openrouter.ai/docs/provider-routing',
  ),
  'E11-tool-choice': fail(
    404,
    "No endpoints found that support the provided 'tool_choice' value. To learn more about provider routing, visit: https://openrouter.ai/docs/provider-routing",
  ),
  'E12-parameters': fail(404, 'No endpoints found that can handle the requested parameters.'),
  'E13-empty-pool': fail(404, 'No :free endpoints available for any resolved models'),
  'E14-bad-id': fail(
    400,
    ({ model }) => `${model} is not a valid model ID`,
    () => ({ withUser: true }),
  ),
  'E15-input': fail(400, 'Input required: specify "prompt" or "messages"'),
  'E15-json': fail(400, 'Input must have at least 1 token.', () => ({ metadata: { provider_name: null } })),
  'E16-context': fail(
    400,
    "This endpoint's maximum context length is 8192 tokens. However, you requested about 9000 tokens (8800 of text input, 200 in the output). Please reduce the length of either one.",
    () => ({ metadata: { error_type: 'context_length_exceeded', provider_name: null } }),
  ),
  'E17-day': limited(
    'Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day',
    ({ dayLimit }) => dayLimit,
    nextDay,
    'openrouter_free_tier_daily',
    'Wait for the daily reset (see X-RateLimit-Reset), or purchase credits to raise your free-model daily limit.',
  ),
  'E18-day-high-balance': limited(
    'Rate limit exceeded: free-models-per-day-high-balance. ',
    ({ dayLimit }) => dayLimit,
    nextDay,
    'openrouter_free_tier_daily',
    'Wait for the daily reset (see X-RateLimit-Reset)',
  ),
  'E19-minute': limited(
    'Rate limit exceeded: free-models-per-min. ',
    () => 20,
    nextMinute,
    'openrouter_free_tier_per_minute',
    'Slow down requests to free models, or retry after the per-minute window resets.',
  ),
  'E20-pool': pool(),
  'E20-pool-with-wait': pool(
    {
      retry_after_seconds: 1,
      retry_after_seconds_raw: 1,
      headers: { 'Retry-After': '1' },
      previous_errors: [],
    },
    { 'Retry-After': '1' },
  ),
  'E21-502': provider(502, 'provider_unavailable'),
  'E21-503': provider(503, 'provider_overloaded'),
  'E21-529': provider(529, 'provider_overloaded'),
  'E21-524': provider(524, 'timeout'),
  'E21-408': provider(408, 'timeout'),
  'E21-504': provider(504, 'timeout'),
  'E22-error-in-200': fail(200, 'Upstream error from Nvidia: Service temporarily overloaded', () => ({
    code: 502,
    metadata: { error_type: 'provider_overloaded' },
    withUser: true,
  })),
  'E22-with-choices': fail(200, 'Upstream error from Nvidia: Service temporarily overloaded', () => ({
    code: 502,
    metadata: { error_type: 'provider_overloaded' },
    beside: { id: 'gen-0', object: 'chat.completion', choices: [] },
  })),
  'E22-exhausted': fail(200, 'ResourceExhausted: Worker local total request limit reached (32/32)', () => ({
    code: 502,
  })),
  'E23-null': empty({ content: null, finish: null }),
  'E23-stop': empty({ content: '', finish: 'stop' }),
  'E23-length': empty({ content: '', reasoning: 'I think and think and think', finish: 'length' }),
  'E24-server': fail(500, 'Internal Server Error'),
  'E25-html-502': html(502),
  'E25-html-429': html(429),
  'E25-html-403': html(403),
  'E25-html-200': html(200),
} satisfies Readonly<Record<string, Behaviour>>;

export type ErrorCase = keyof typeof errorCases;

/** The documented `error.availability` codes, each with its status. */
export const availabilityCases = {
  model_not_found: available(400, 'model_not_found'),
  wrong_endpoint: available(400, 'wrong_endpoint'),
  no_endpoints: available(404, 'no_endpoints'),
  model_deprecated: available(404, 'model_deprecated'),
  model_unavailable_upstream: available(404, 'model_unavailable_upstream'),
  capacity_exhausted: available(429, 'capacity_exhausted', { retry_after: 7 }),
  temporarily_unavailable: available(503, 'temporarily_unavailable', { retry_after: 3 }),
  region_restricted: available(403, 'region_restricted'),
  privacy_restricted: available(404, 'privacy_restricted'),
  constraint_filtered: available(404, 'constraint_filtered'),
  free_variant_ended: available(404, 'free_variant_ended'),
} satisfies Readonly<Record<string, Behaviour>>;

/** Failures below HTTP, and a redirect that a careful client refuses. */
export const networkCases = {
  refused: { kind: 'no-answer', how: 'refuse' },
  silence: { kind: 'no-answer', how: 'silence' },
  redirect: {
    kind: 'reply',
    status: 302,
    body: () => '',
    headers: () => ({ Location: 'https://elsewhere.invalid/steal' }),
  },
} satisfies Readonly<Record<string, Behaviour>>;
