// Who may use the server's endpoint. It spends a person's quota, so only programs of this machine may, with a key of their own or with
// the bearer that was printed at start; no page of another origin, whatever a browser would let it send.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { bearerOf, isPageToken } from '../../src/router/relay/page-token.ts';
import type { Refusal } from '../../src/router/refuse.ts';

/** The key of the server's own environment, and the bearer that lends it. */
export type LentKey = { readonly bearer: string; readonly key: string };

const forbidden = (message: string): Refusal => ({ status: 403, code: 'permission_denied', message });
const unauthorized = (message: string): Refusal => ({ status: 401, code: 'invalid_api_key', message });

/** The OpenRouter key that answers this request, or why there is none. Looks at the head only. */
export function admit(
  request: IncomingMessage,
  lent: LentKey | undefined,
): { readonly refusal: Refusal } | { readonly key: string } {
  const refusal = refuseSender(request) ?? refuseForm(request);
  return refusal ? { refusal } : findKey(request, lent);
}

function refuseSender({ socket, headers }: IncomingMessage): Refusal | undefined {
  if (!isLoopback(socket.remoteAddress ?? ''))
    return forbidden('Only programs of this machine may call this endpoint.');
  const { host = '', origin } = headers;
  // A foreign name that was made to point here (DNS rebinding) is the one thing that its page cannot hide.
  if (!/^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(host))
    return forbidden('The host must be localhost, 127.0.0.1 or [::1].');
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)
    return forbidden('Pages of other origins may not call this endpoint.');
  const site = headers['sec-fetch-site'];
  if (site === 'cross-site' || site === 'same-site')
    return forbidden('Pages of other origins may not call this endpoint.');
  return undefined;
}

function refuseForm({ method, headers }: IncomingMessage): Refusal | undefined {
  if (method !== 'GET' && method !== 'POST')
    return { status: 405, code: 'method_not_allowed', message: 'This endpoint knows GET and POST.' };
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (method === 'POST' && type !== 'application/json') {
    const message = 'The content type must be application/json.';
    return { status: 415, code: 'unsupported_media_type', message };
  }
  return undefined;
}

function findKey({ headers }: IncomingMessage, lent: LentKey | undefined) {
  const bearer = bearerOf(headers.authorization);
  const refusal = (message: string) => ({ refusal: unauthorized(message) });
  if (bearer === undefined)
    return refusal(
      'The API key is missing: give an OpenRouter key, or the one that this server printed at start.',
    );
  if (/^sk-or-[\w-]{1,200}$/.test(bearer)) return { key: bearer };
  if (lent !== undefined && isSame(bearer, lent.bearer)) return { key: lent.key };
  // The page's service worker answers such requests; one that comes here was sent past it.
  if (isPageToken(bearer))
    return refusal(
      'This token works inside the page only, and the page is not ready for it: reload the page.',
    );
  return refusal(
    'The API key must be an OpenRouter key (sk-or-…), or the one that this server printed at start.',
  );
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/i.test(address);
}

/** Compares in a time that tells nothing of where two texts differ. */
function isSame(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
