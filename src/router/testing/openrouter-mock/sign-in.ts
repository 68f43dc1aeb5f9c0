// Signing in at the mock: OAuth with PKCE (RFC 7636) as OpenRouter does it, `GET /auth` and `POST /api/v1/auth/keys`.
import { createHash } from 'node:crypto';
import type { JsonObject } from './record';
import { errorBody, json, type Reply } from './reply';

const lifeMs = 10 * 60_000;

type Grant = { readonly challenge: string; readonly at: number };

export type SignIn = {
  /** The page that asks the person, who always agrees: a redirect with `code` and `state`, or a page that shows the code. */
  authorize(query: URLSearchParams, now: number): Reply;
  /** Changes a code for a key. */
  exchange(body: JsonObject, now: number): Reply;
};

/** `newKey` makes the account's next key; `userId` is the account's. */
export function createSignIn(newKey: () => string, userId: string): SignIn {
  const grants = new Map<string, Grant>();
  let count = 0;
  return {
    authorize(query, now) {
      const challenge = query.get('code_challenge') ?? '';
      if (challenge === '' || query.get('code_challenge_method') !== 'S256') {
        return json(400, errorBody(400, 'Invalid code_challenge_method'));
      }
      const code = `code-${++count}`;
      grants.set(code, { challenge, at: now });
      const callback = query.get('callback_url');
      if (callback === null) {
        return {
          status: 200,
          body: `<!DOCTYPE html><title>Code</title><p>${code}</p>`,
          headers: { 'Content-Type': 'text/html' },
        };
      }
      const target = new URL(callback);
      target.searchParams.set('code', code);
      const state = query.get('state');
      if (state !== null) target.searchParams.set('state', state);
      return { status: 302, body: '', headers: { Location: target.href } };
    },
    exchange({ code, code_verifier: verifier, code_challenge_method: method }, now) {
      if (typeof code !== 'string') {
        const message = JSON.stringify([{ code: 'invalid_type', path: ['code'], message: 'Required' }]);
        return json(400, { success: false, error: { name: 'ZodError', message } });
      }
      if (method !== 'S256') return json(400, errorBody(400, 'Invalid code_challenge_method'));
      const grant = grants.get(code);
      if (!grant) return json(400, errorBody(400, 'Invalid code'));
      if (now - grant.at > lifeMs) return json(403, errorBody(403, 'Authorization code expired'));
      const challenge = createHash('sha256').update(String(verifier)).digest('base64url');
      if (challenge !== grant.challenge) return json(403, errorBody(403, 'Invalid code or code_verifier'));
      grants.delete(code);
      return json(200, { key: newKey(), user_id: userId });
    },
  };
}
