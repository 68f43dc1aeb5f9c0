import { expect, test } from 'vitest';
import { readKeyLabel } from './key-label';
import { base64Url, beginSignIn, callbackOf, challengeOf, exchangeCode } from './sign-in';

const api = 'https://openrouter.ai/api/v1';
const never = new AbortController().signal;

test('the challenge is that of RFC 7636, appendix B', () => {
  // prettier-ignore
  const octets = Uint8Array.of(
    116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214, 191, 240, 91, 88, 5, 88, 83,
    132, 141, 121,
  );
  const verifier = base64Url(octets);
  expect(verifier).toBe('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk');
  expect(challengeOf(verifier)).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM');
});

test('base64url has its own two characters and no padding', () => {
  expect(base64Url(Uint8Array.of(251, 255, 190))).toBe('-_--');
  expect(base64Url(Uint8Array.of(255))).toBe('_w');
});

test('a sign-in opens the page of OpenRouter with challenge and state, and keeps the verifier to itself', () => {
  let fill = 0;
  const randomBytes = (count: number) => new Uint8Array(count).fill(++fill);
  const callbackUrl = 'https://host.test/app/';
  const { url, verifier, state } = beginSignIn({ randomBytes, callbackUrl, keyLabel: 'Likeness' });
  const { origin, pathname, searchParams } = new URL(url);
  expect([origin, pathname]).toEqual(['https://openrouter.ai', '/auth']);
  expect(Object.fromEntries(searchParams)).toEqual({
    callback_url: callbackUrl,
    code_challenge: challengeOf(verifier),
    code_challenge_method: 'S256',
    state,
    key_label: 'Likeness',
  });
  expect([verifier.length, state.length]).toEqual([43, 22]);
  expect(url).not.toContain(verifier);
  const withoutCallback = beginSignIn({ randomBytes, callbackUrl: undefined, keyLabel: 'Likeness' });
  expect(new URL(withoutCallback.url).searchParams.has('callback_url')).toBe(false);
});

test('OpenRouter sends people back to https and to localhost, and without query or hash', () => {
  expect(callbackOf('https://host.test/app/?a=b#/settings')).toBe('https://host.test/app/');
  expect(callbackOf('http://localhost:5173/')).toBe('http://localhost:5173/');
  for (const url of ['http://127.0.0.1:4173/', 'http://host.test/', 'file:///index.html'])
    expect(callbackOf(url)).toBeUndefined();
});

const exchange = (answer: () => Response | Promise<Response>, seen: Request[] = []) =>
  exchangeCode(
    {
      fetch: async (input, init) => {
        seen.push(new Request(input, init));
        return answer();
      },
      api,
      code: 'the-code',
      verifier: 'the-verifier',
    },
    never,
  );

test('a code is exchanged for the key', async () => {
  const seen: Request[] = [];
  const answer = () => Response.json({ key: 'sk-or-v1-abc', user_id: 'user_1' });
  expect(await exchange(answer, seen)).toBe('sk-or-v1-abc');
  expect([seen[0]!.url, seen[0]!.method, seen[0]!.headers.get('authorization')]).toEqual([
    `${api}/auth/keys`,
    'POST',
    null,
  ]);
  expect(await seen[0]!.json()).toEqual({
    code: 'the-code',
    code_verifier: 'the-verifier',
    code_challenge_method: 'S256',
  });
});

test('every refusal has its reason, and none of the words of the server', async () => {
  const failing = (message: string, status: number) => () =>
    Response.json({ error: { message, code: status }, user_id: 'user_1' }, { status });
  for (const [answer, reason] of [
    [failing('Invalid code', 400), 'code'],
    [failing('Invalid code or code_verifier', 403), 'code'],
    [failing('Authorization code expired', 403), 'expired'],
    [failing('Internal', 500), 'network'],
    [() => Promise.reject(new TypeError('offline')), 'network'],
    [() => new Response('<html>'), 'answer'],
    [() => Response.json({ key: 'pk-other' }), 'answer'],
  ] as const) {
    const failure = await exchange(answer).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'sign-in-failed', details: { reason } });
    expect((failure as Error).cause).toBeUndefined();
  }
});

test('a key tells its label, or that it is not one', async () => {
  const labelOf = (answer: () => Promise<Response>) =>
    readKeyLabel({ fetch: answer, api, key: 'sk-or-v1-abc' }, never);
  expect(await labelOf(async () => Response.json({ data: { label: 'sk-or-v1-a...bc' } }))).toBe(
    'sk-or-v1-a...bc',
  );
  expect(await labelOf(async () => Response.json({}))).toBeUndefined();
  expect(await labelOf(() => Promise.reject(new TypeError('offline')))).toBeUndefined();
  const unknown = async () =>
    Response.json({ error: { message: 'User not found.', code: 401 } }, { status: 401 });
  await expect(labelOf(unknown)).rejects.toMatchObject({
    code: 'key-rejected',
    details: { reason: 'refused' },
  });
});
