// The way back from OpenRouter: it opens the page in another tab with ?code=&state=, which hands both to the tab that began.

const channelName = 'likeness-sign-in';

export type SignInAnswer = { readonly code: string; readonly state: string };
type Message =
  ({ readonly kind: 'answer' } & SignInAnswer) | { readonly kind: 'taken'; readonly state: string };

/** The answer in this page's address, or undefined; the address is rid of it at once. */
export function takeSignInAnswer(
  location: Pick<Location, 'href'>,
  history: Pick<History, 'replaceState'>,
): SignInAnswer | undefined {
  const url = new URL(location.href);
  const code = url.searchParams.get('code');
  const state = url.searchParams.get('state');
  if (code === null || state === null) return undefined;
  url.searchParams.delete('code');
  url.searchParams.delete('state');
  history.replaceState(null, '', url);
  return { code, state };
}

/** Hands the answer to the tab that began. Resolves to whether one took it; `patience` resolves when none will. */
export async function passOnSignIn({ code, state }: SignInAnswer, patience: Promise<void>): Promise<boolean> {
  const channel = new BroadcastChannel(channelName);
  const taken = new Promise<boolean>((resolve) => {
    channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      const message = parse(data);
      if (message?.kind === 'taken' && message.state === state) resolve(true);
    });
  });
  channel.postMessage({ kind: 'answer', code, state } satisfies Message);
  try {
    return await Promise.race([taken, patience.then(() => false)]);
  } finally {
    channel.close();
  }
}

/** Calls `take` with the code of the tab that comes back with `state`, once. Stops by the function that it answers. */
export function awaitSignIn(state: string, take: (code: string) => void): () => void {
  const channel = new BroadcastChannel(channelName);
  channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    const message = parse(data);
    if (message?.kind !== 'answer' || message.state !== state) return;
    channel.postMessage({ kind: 'taken', state } satisfies Message);
    channel.close();
    take(message.code);
  });
  return () => channel.close();
}

function parse(data: unknown): Message | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const { kind, state, code } = data as Record<string, unknown>;
  if (typeof state !== 'string') return undefined;
  if (kind === 'taken') return { kind, state };
  return kind === 'answer' && typeof code === 'string' ? { kind, code, state } : undefined;
}
