// Getting a key by signing in at OpenRouter, in a tab of its own; and where a key can be revoked there. Only Settings loads this.
import { openRouterApi } from '../router/address';
import { beginSignIn, callbackOf, exchangeCode, keyPage } from '../router/sign-in';
import type { App } from './app';
import { attempt } from './attempt';
import type { KeyPlace } from './key-state';
import { takeKey } from './openrouter-key';
import { awaitSignIn } from './sign-in-return';

const keyLabel = 'Likeness';

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
    if (app.keyring.signIn === signIn) await takeKey(app, key, progress.place);
  });
  if (app.keyring.signIn === signIn) cancelSignIn(app); // a code works once, whatever came of it
}

/** Ends the sign-in under way; its code would no longer be taken. */
export function cancelSignIn(app: App): void {
  app.keyring.signIn?.stopWaiting();
  app.keyring.signIn = undefined;
  app.key.setState({ signIn: undefined });
}

/** OpenRouter's page of the key in use, where its owner can revoke it. */
export function ownKeyPage(app: App): string | undefined {
  const { key } = app.keyring;
  return key === undefined ? undefined : keyPage(key);
}
