// The secrets of the page, apart from the stores: private fields are in no copy, log or export of the state.
import type { SignIn } from '../router/sign-in';

/** A sign-in under way, and how to stop waiting for its code. */
type PendingSignIn = SignIn & { readonly stopWaiting: () => void };

export class Keyring {
  #key: string | undefined;
  #signIn: PendingSignIn | undefined;

  /** The OpenRouter key, for the router and for nobody else. */
  get key(): string | undefined {
    return this.#key;
  }

  set key(key: string | undefined) {
    this.#key = key;
  }

  /** The sign-in under way, with its verifier. */
  get signIn(): PendingSignIn | undefined {
    return this.#signIn;
  }

  set signIn(signIn: PendingSignIn | undefined) {
    this.#signIn = signIn;
  }
}
