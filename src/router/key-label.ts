// What OpenRouter says about a key: that it is good, and the name under which its owner finds it again.
import { z } from 'zod';
import { AppError } from '../base/errors';

const keySchema = z.object({ data: z.object({ label: z.string() }) });

/** True for what has the form of an OpenRouter key. */
export function isKey(text: string): boolean {
  return /^sk-or-[\w-]{1,200}$/.test(text);
}

/**
 * The key's label, or undefined where it cannot be known now. Costs none of the day's requests.
 * Throws AppError('key-rejected', { reason: 'refused' }) for a key that OpenRouter does not know; rejects on abort.
 */
export async function readKeyLabel(
  {
    fetch,
    api,
    key,
  }: { readonly fetch: typeof globalThis.fetch; readonly api: string; readonly key: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  const headers = { authorization: `Bearer ${key}` };
  try {
    const response = await fetch(`${api}/key`, {
      headers,
      signal,
      credentials: 'omit',
      redirect: 'error',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
    });
    if (response.status === 401) throw new AppError('key-rejected', { reason: 'refused' });
    return keySchema.safeParse(await response.json()).data?.data.label;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AppError) throw error;
    return undefined; // offline, or an answer of another form: the first question to the router will tell more
  }
}
