// What the page, and only the page, may ask beside the HTTP face: events of a request before its answer begins, and a fresh budget.

/** Key of the hooks on `init`: a symbol, so that nothing that came over HTTP or a message port can carry them. */
export const pageHooks = Symbol('page hooks');

export type RouterEvent =
  | { readonly kind: 'waiting'; readonly until: number } // ms since 1970: the account's minute is full
  | { readonly kind: 'attempt-start'; readonly model: string; readonly attempt: number }
  | { readonly kind: 'reasoning'; readonly text: string } // before the answer begins; void when the attempt fails
  | { readonly kind: 'attempt-end'; readonly attempt: AttemptTrace };

/** One attempt: `failure` is the kind of failure, undefined where its answer was used. */
type AttemptTrace = {
  readonly model: string;
  readonly durationMs: number; // to the answer's first token, or to the failure
  readonly failure: string | undefined;
  readonly message: string | undefined;
};

export type PageHooks = {
  readonly onEvent?: (event: RouterEvent) => void;
  /** "Regenerate": does not share the attempts of an earlier failure of the same body. */
  readonly isFresh?: boolean;
};

export type RouterInit = RequestInit & { readonly [pageHooks]?: PageHooks };
