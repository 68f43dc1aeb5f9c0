// The person's OpenRouter key: pasted or made by signing in, kept where they choose. The store tells about it, the keyring holds it.
import { AppError } from '../base/errors';
import { openRouterApi } from '../router/address';
import { isKey, readKeyLabel } from '../router/key-label';
import { beginSignIn, callbackOf, exchangeCode } from '../router/sign-in';
import type { App } from './app';
import { attempt } from './attempt';
import type { KeyPlace } from './key-state';
import { awaitSignIn } from './sign-in-return';

const keyLabel = 'Likeness';

/** Reads the kept key at page start, and follows what other tabs do with the browser's. */
export async function openKey(app: App): Promise<void> {
  const { keyStorage } = app.services;
  await readKept(app);
  keyStorage.watch(() => {
    const { facts } = app.key.getState();
    if (facts === undefined || facts.place === 'browser') void readKept(app);
  });
}

async function readKept(app: App): Promise<void> {
  const stored = await attempt(app, () => app.services.keyStorage.load());
  if (stored) show(app, stored.kept.key, stored.place, stored.kept.label);
  else hide(app);
}

/** Takes a key that was pasted; one of another form becomes the notice. */
export async function pasteKey(app: App, text: string, place: KeyPlace): Promise<void> {
  const key = text.trim();
  await attempt(app, async () => {
    if (!isKey(key)) throw new AppError('key-rejected', { reason: 'form' });
    await take(app, key, place);
  });
}

/** Keeps the key somewhere else. */
export async function moveKey(app: App, place: KeyPlace): Promise<void> {
  const { facts } = app.key.getState();
  const { key } = app.keyring;
  if (facts === undefined || key === undefined) return;
  await attempt(app, async () => {
    await app.services.keyStorage.save(place, { key, label: facts.label });
    show(app, key, place, facts.label);
  });
}

/** Forgets the key in this tab, in this session and in this browser. */
export async function forgetKey(app: App): Promise<void> {
  hide(app);
  await attempt(app, () => app.services.keyStorage.remove());
}

/** Opens OpenRouter's page in a new tab. Call it within the press of a button: otherwise the browser opens none. */
export function startSignIn(app: App, place: KeyPlace): void {
  cancelSignIn(app);
  const { randomBytes, pageUrl, openTab } = app.services;
  const callbackUrl = callbackOf(pageUrl());
  const signIn = beginSignIn({ randomBytes, callbackUrl, keyLabel });
  const stopWaiting = awaitSignIn(signIn.state, (code) => void finishSignIn(app, code));
  app.keyring.signIn = { ...signIn, stopWaiting };
  const progress = {
    url: signIn.url,
    needsCode: callbackUrl === undefined,
    place,
    phase: 'waiting',
  } as const;
  app.key.setState({ signIn: progress });
  openTab(signIn.url);
}

/** Exchanges the code for the key: it came from the other tab, or the person brought it. */
export async function finishSignIn(app: App, code: string): Promise<void> {
  const { signIn } = app.keyring;
  const progress = app.key.getState().signIn;
  if (signIn === undefined || progress?.phase !== 'waiting') return;
  app.key.setState({ signIn: { ...progress, phase: 'exchanging' } });
  await attempt(app, async () => {
    const { fetch } = app.services;
    const exchange = { fetch, api: openRouterApi, code: code.trim(), verifier: signIn.verifier };
    const key = await exchangeCode(exchange, new AbortController().signal);
    if (app.keyring.signIn === signIn) await take(app, key, progress.place);
  });
  if (app.keyring.signIn === signIn) cancelSignIn(app); // a code works once, whatever came of it
}

/** Ends the sign-in under way; its code would no longer be taken. */
export function cancelSignIn(app: App): void {
  app.keyring.signIn?.stopWaiting();
  app.keyring.signIn = undefined;
  app.key.setState({ signIn: undefined });
}

async function take(app: App, key: string, place: KeyPlace): Promise<void> {
  const { fetch, keyStorage } = app.services;
  const label = await readKeyLabel({ fetch, api: openRouterApi, key }, new AbortController().signal);
  await keyStorage.save(place, { key, label });
  show(app, key, place, label);
}

function show(app: App, key: string, place: KeyPlace, label: string | undefined): void {
  app.keyring.key = key;
  app.key.setState({ facts: { place, label, lastFour: key.slice(-4) } });
}

function hide(app: App): void {
  app.keyring.key = undefined;
  app.key.setState({ facts: undefined });
}
