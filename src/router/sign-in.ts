// Getting a key of the person's own account without typing it: OAuth with PKCE as OpenRouter does it (RFC 7636, method S256).
// The verifier never leaves this tab; the code that comes back is of no use without it.
import { sha256 } from '@noble/hashes/sha2.js';
import { z } from 'zod';
import { AppError, isAbort } from '../base/errors';
import { openRouterSite } from './address';
import { toBase64 } from './base64';

/** What a tab remembers between opening OpenRouter's page and the code. In memory only. */
export type SignIn = { readonly verifier: string; readonly state: string; readonly url: string };

export type SignInOptions = {
  readonly randomBytes: (count: number) => Uint8Array;
  /** Where OpenRouter sends the person back with the code; undefined where it cannot: the person then copies the code. */
  readonly callbackUrl: string | undefined;
  readonly keyLabel: string; // the key's name in the person's account
};

/** base64url without padding, RFC 4648 section 5. */
export function base64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** BASE64URL(SHA256(ASCII(verifier))). Computed at once and not by WebCrypto: a browser lets a page open a tab only within the press. */
export function challengeOf(verifier: string): string {
  return base64Url(sha256(new TextEncoder().encode(verifier)));
}

/** A fresh sign-in; its `url` is the page to open. */
export function beginSignIn({ randomBytes, callbackUrl, keyLabel }: SignInOptions): SignIn {
  const verifier = base64Url(randomBytes(32));
  const state = base64Url(randomBytes(16));
  const url = new URL('/auth', openRouterSite);
  if (callbackUrl !== undefined) url.searchParams.set('callback_url', callbackUrl);
  url.searchParams.set('code_challenge', challengeOf(verifier));
  url.searchParams.set('code_challenge_method', 'S256');
  url.searchParams.set('state', state);
  url.searchParams.set('key_label', keyLabel);
  return { verifier, state, url: url.href };
}

/** The page's address as a callback, where OpenRouter accepts it: https, or http on localhost. */
export function callbackOf(pageUrl: string): string | undefined {
  const { protocol, hostname, origin, pathname } = new URL(pageUrl);
  const isAccepted = protocol === 'https:' || (protocol === 'http:' && hostname === 'localhost');
  return isAccepted ? origin + pathname : undefined;
}

const answerSchema = z.object({ key: z.string().regex(/^sk-or-[\w-]+$/) });

export type Exchange = {
  readonly fetch: typeof globalThis.fetch;
  readonly api: string;
  readonly code: string;
  readonly verifier: string;
};

/**
 * Exchanges a code for a key. Throws AppError('sign-in-failed', { reason: 'code' | 'expired' | 'network' | 'answer' }), whose cause is
 * left out: what the server says may name the account.
 */
export async function exchangeCode(
  { fetch, api, code, verifier }: Exchange,
  signal: AbortSignal,
): Promise<string> {
  const failed = (reason: 'code' | 'expired' | 'network' | 'answer') =>
    new AppError('sign-in-failed', { reason });
  const body = JSON.stringify({ code, code_verifier: verifier, code_challenge_method: 'S256' });
  const send = async () => {
    const response = await fetch(`${api}/auth/keys`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal,
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
    });
    return { status: response.status, text: await response.text() };
  };
  const { status, text } = await send().catch((error: unknown) => {
    throw isAbort(error) ? error : failed('network');
  });
  if (status >= 500) throw failed('network');
  if (status >= 400) throw failed(/expired/i.test(text) ? 'expired' : 'code');
  const answer = answerSchema.safeParse(parseJson(text));
  if (!answer.success) throw failed('answer');
  return answer.data.key;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the schema refuses it
  }
}
