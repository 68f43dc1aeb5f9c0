import { expect, test } from 'vitest';
import { challengeOf } from '../router/sign-in';
import { createKeyStorage } from '../storage/openrouter-key';
import { createFakeKeyWindow } from '../storage/testing/fake-key-window';
import type { App, Services } from './app';
import {
  cancelSignIn,
  finishSignIn,
  forgetKey,
  moveKey,
  openKey,
  pasteKey,
  startSignIn,
} from './openrouter-key';
import { passOnSignIn, takeSignInAnswer } from './sign-in-return';
import { createTestApp } from './testing/test-app';

const key = 'sk-or-v1-canary0123456789wxyz';
const facts = { place: 'tab', label: 'sk-or-v1-can...xyz', lastFour: 'wxyz' };
const noAnswer = new Promise<void>(() => {});

/** OpenRouter, as far as keys are concerned. It knows one code, and the challenge that it was asked for with. */
function createFakeOpenRouter() {
  const calls: { readonly path: string; readonly body: unknown; readonly authorization: string | null }[] =
    [];
  let challenge = '';
  const fetch: Services['fetch'] = async (input, init) => {
    const request = new Request(input, init);
    const path = new URL(request.url).pathname;
    const text = await request.text();
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    calls.push({ path, body, authorization: request.headers.get('authorization') });
    if (path === '/api/v1/key') {
      const isKnown = request.headers.get('authorization') === `Bearer ${key}`;
      return isKnown
        ? Response.json({ data: { label: facts.label } })
        : Response.json({ error: { message: 'User not found.', code: 401 } }, { status: 401 });
    }
    const { code, code_verifier: verifier } = body as { code: string; code_verifier: string };
    return code === 'good' && challengeOf(verifier) === challenge
      ? Response.json({ key, user_id: 'user_1' })
      : Response.json({ error: { message: 'Invalid code or code_verifier', code: 403 } }, { status: 403 });
  };
  /** The person agrees on the page that was opened; answers where the browser goes then. */
  const agree = (url: string): string => {
    const asked = new URL(url).searchParams;
    challenge = asked.get('code_challenge')!;
    const back = new URL(asked.get('callback_url') ?? 'https://openrouter.ai/shown');
    back.searchParams.set('code', 'good');
    back.searchParams.set('state', asked.get('state')!);
    return back.href;
  };
  return { fetch, calls, agree };
}

function createKeyApp(services: Partial<Services> = {}) {
  const openRouter = createFakeOpenRouter();
  const view = createFakeKeyWindow();
  const tabs: string[] = [];
  const { app } = createTestApp({
    fetch: openRouter.fetch,
    keyStorage: createKeyStorage(view),
    openTab: (url) => tabs.push(url),
    ...services,
  });
  return { app, openRouter, view, tabs };
}

/** All that a log, an export or a report of the page could hold. */
const everythingOf = (app: App) => JSON.stringify([app, app.key.getState(), app.notice.getState()]);

test('a pasted key serves this tab, and only the keyring holds it', async () => {
  const { app, view } = createKeyApp();
  await pasteKey(app, `  ${key}\n`, 'tab');
  expect(app.key.getState()).toEqual({ facts, signIn: undefined });
  expect(app.keyring.key).toBe(key);
  expect([view.sessionStorage.length, view.localStorage.length]).toEqual([0, 0]);
  expect(everythingOf(app)).not.toContain('canary0123');
});

test('a kept key is there after a reload, moved and forgotten', async () => {
  const { app, view } = createKeyApp();
  await pasteKey(app, key, 'session');
  const { app: reloaded } = createKeyApp({ keyStorage: createKeyStorage(view) });
  await openKey(reloaded);
  expect([reloaded.keyring.key, reloaded.key.getState().facts]).toEqual([
    key,
    { ...facts, place: 'session' },
  ]);
  await moveKey(reloaded, 'browser');
  expect([view.sessionStorage.length, view.localStorage.length]).toEqual([0, 1]);
  expect(reloaded.key.getState().facts?.place).toBe('browser');
  await forgetKey(reloaded);
  expect([reloaded.keyring.key, reloaded.key.getState().facts, view.localStorage.length]).toEqual([
    undefined,
    undefined,
    0,
  ]);
});

test('another tab gets the browser’s key and loses it when it is forgotten; its own it keeps', async () => {
  const { app, view } = createKeyApp();
  const { app: other } = createKeyApp({ keyStorage: createKeyStorage(view.openTab()) });
  await openKey(other);
  await pasteKey(app, key, 'browser');
  await expect.poll(() => other.keyring.key).toBe(key);
  await forgetKey(app);
  await expect.poll(() => other.keyring.key).toBeUndefined();

  await pasteKey(other, key, 'tab');
  await pasteKey(app, key, 'browser');
  await forgetKey(app);
  expect(other.keyring.key).toBe(key);
});

test('what is no key, and a key that OpenRouter does not know, are refused and not kept', async () => {
  const { app, openRouter, view } = createKeyApp();
  await pasteKey(app, 'sk-proj-canary0123', 'browser');
  expect(app.notice.getState()).toMatchObject({ code: 'key-rejected', details: { reason: 'form' } });
  expect(openRouter.calls).toEqual([]);
  await pasteKey(app, 'sk-or-v1-canary0123-revoked', 'browser');
  expect(app.notice.getState()).toMatchObject({ code: 'key-rejected', details: { reason: 'refused' } });
  expect([app.keyring.key, view.localStorage.length]).toEqual([undefined, 0]);
  expect(everythingOf(app)).not.toContain('canary0123');
});

test('signing in: another tab comes back with the code, hands it over, and this one gets the key', async () => {
  const { app, openRouter, tabs } = createKeyApp();
  startSignIn(app, 'tab');
  const [url] = tabs as [string];
  expect(app.key.getState().signIn).toEqual({ url, needsCode: false, place: 'tab', phase: 'waiting' });
  expect(new URL(url).searchParams.get('callback_url')).toBe('http://localhost:5173/');
  expect(everythingOf(app)).not.toContain(app.keyring.signIn!.verifier);

  let address = openRouter.agree(url);
  const history = {
    replaceState: (_: unknown, __: string, next?: string | URL | null) => (address = String(next)),
  };
  const answer = takeSignInAnswer({ href: address }, history);
  expect(address).toBe('http://localhost:5173/');
  expect(await passOnSignIn(answer!, noAnswer)).toBe(true);
  await expect.poll(() => app.key.getState()).toEqual({ facts, signIn: undefined });
  expect([app.keyring.key, app.keyring.signIn]).toEqual([key, undefined]);
});

test('a stranger’s state is not taken, nor any after the sign-in was cancelled', async () => {
  const { app, openRouter, tabs } = createKeyApp();
  startSignIn(app, 'tab');
  const { state } = app.keyring.signIn!;
  openRouter.agree(tabs[0]!);
  const enough = new Promise<void>((resolve) => setTimeout(resolve, 50));
  expect(await passOnSignIn({ code: 'good', state: 'other' }, enough)).toBe(false);
  cancelSignIn(app);
  expect(await passOnSignIn({ code: 'good', state }, new Promise((resolve) => setTimeout(resolve, 50)))).toBe(
    false,
  );
  await finishSignIn(app, 'good');
  expect([openRouter.calls, app.keyring.key]).toEqual([[], undefined]);
});

test('where OpenRouter cannot come back, the person brings the code', async () => {
  const { app, openRouter, tabs } = createKeyApp({ pageUrl: () => 'http://127.0.0.1:4173/' });
  startSignIn(app, 'session');
  expect(app.key.getState().signIn).toMatchObject({ needsCode: true });
  expect(new URL(tabs[0]!).searchParams.has('callback_url')).toBe(false);
  openRouter.agree(tabs[0]!);
  await finishSignIn(app, ' good ');
  expect(app.key.getState()).toEqual({ facts: { ...facts, place: 'session' }, signIn: undefined });
});

test('a code that is not accepted ends the sign-in with its reason, and the key before stays', async () => {
  const { app, openRouter, tabs } = createKeyApp();
  await pasteKey(app, key, 'tab');
  startSignIn(app, 'tab');
  openRouter.agree(tabs[0]!);
  await finishSignIn(app, 'bad');
  expect(app.notice.getState()).toMatchObject({ code: 'sign-in-failed', details: { reason: 'code' } });
  expect([app.keyring.key, app.key.getState().signIn]).toEqual([key, undefined]);
});

test('an address without both code and state is a page like any other', () => {
  const history = { replaceState: () => expect.unreachable() };
  for (const query of ['', '?code=x', '?state=x', '#?code=x&state=y'])
    expect(takeSignInAnswer({ href: `https://host.test/${query}` }, history)).toBeUndefined();
});
