// OpenRouter's CORS answers: what a page of another origin may send and read.

const allowed =
  'Authorization,User-Agent,X-Api-Key,X-CSRF-Token,X-Requested-With,Accept,Accept-Version,Content-Length,Content-MD5,Content-Type,Date,X-Api-Version,HTTP-Referer,X-Windowai-Title,X-Openrouter-Title,X-Title,X-Openrouter-Categories,X-Openrouter-App-Visibility,X-Session-Id,X-Stainless-*,Protection-Key,Idempotency-Key,traceparent,tracestate,b3';
const exposed = 'X-Generation-Id,X-Provider-Name,request-id,cf-ray';
const allowedNames = new Set(allowed.toLowerCase().split(','));

/** On every answer, errors too. Retry-After and X-RateLimit-* are sent and not exposed. */
export const corsHeaders = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': exposed,
};

/**
 * The answer to a preflight. A header that is not in the list makes it one without permission. `allowsStainless`: whether `X-Stainless-*`
 * stands for the names that begin so, which the Fetch standard does not know and OpenRouter may do by hand.
 */
export function answerPreflight(request: Request, allowsStainless: boolean): Response {
  const asked = (request.headers.get('Access-Control-Request-Headers') ?? '')
    .toLowerCase()
    .split(/\s*,\s*/)
    .filter((name) => name !== '');
  const isAllowed = (name: string) =>
    allowedNames.has(name) || (allowsStainless && name.startsWith('x-stainless-'));
  if (!asked.every(isAllowed)) return new Response(null, { status: 204 });
  const stainless = asked.filter((name) => name.startsWith('x-stainless-'));
  return new Response(null, {
    status: 204,
    headers: {
      ...corsHeaders,
      'Access-Control-Allow-Methods': 'GET,OPTIONS,PATCH,DELETE,POST,PUT',
      'Access-Control-Allow-Headers': [allowed, ...stainless].join(','),
      Vary: 'Access-Control-Request-Headers',
    },
  });
}
