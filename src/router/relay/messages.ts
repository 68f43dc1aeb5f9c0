// What the service worker and a page say to each other while the worker relays a request to the page's router.
// A request opens a channel of its own: the page answers head, chunks and end on it, one chunk for each pull.

/** Worker → page, with the port of the request's channel. */
export type RelayRequest = {
  readonly kind: 'relay-request';
  readonly id: string;
  readonly token: string; // the bearer as it came: the page checks it
  readonly method: string;
  readonly url: string;
  readonly contentType: string | null;
  readonly body: ArrayBuffer | null;
};

/** Page → worker, on the channel. */
export type RelayAnswer =
  | { readonly kind: 'taken' } // the page lives and works on it
  | {
      readonly kind: 'head';
      readonly status: number;
      readonly headers: readonly (readonly [name: string, value: string])[];
      readonly hasBody: boolean;
    }
  | { readonly kind: 'chunk'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed' };

/** Worker → page, on the channel. */
export type RelayDemand = { readonly kind: 'pull' } | { readonly kind: 'cancel' };

/** Page → worker, as a message event of its own: such events keep a worker alive, messages of a port do not. */
export type RelayCall =
  | { readonly kind: 'relay-hello' } // with a port: the worker welcomes the page on it
  | { readonly kind: 'relay-ping'; readonly id: string };

/** Worker → page, on the port of its hello. */
export type RelayWelcome = { readonly pageId: string };

/** Worker → page, when a ping names a request that this worker does not have: it was stopped and started in between. */
export type RelayGone = { readonly kind: 'relay-gone'; readonly id: string };

/** Runs `task` again and again until the function that it answers is called. */
export type Every = (milliseconds: number, task: () => void) => () => void;

export const everyInterval: Every = (milliseconds, task) => {
  const timer = setInterval(task, milliseconds);
  return () => clearInterval(timer);
};
