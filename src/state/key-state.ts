// What the page shows of the OpenRouter key and of signing in: never the key.
import type { KeyPlace } from '../storage/openrouter-key';

export type { KeyPlace };

type KeyFacts = {
  readonly place: KeyPlace;
  readonly label: string | undefined; // OpenRouter's own name of the key
  readonly lastFour: string;
};

type SignInProgress = {
  readonly url: string; // the page of OpenRouter: a link to it helps where the browser did not open it
  readonly needsCode: boolean; // OpenRouter cannot come back to this address: the person brings the code
  readonly place: KeyPlace; // where the key will be kept
  readonly phase: 'waiting' | 'exchanging';
};

export type OpenRouterKey = {
  readonly facts: KeyFacts | undefined; // undefined: no key
  readonly signIn: SignInProgress | undefined;
};

export const noKey: OpenRouterKey = { facts: undefined, signIn: undefined };
