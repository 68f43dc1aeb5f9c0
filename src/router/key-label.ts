// What OpenRouter says about a key: that it is good, and the name under which its owner finds it again.
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { AppError } from '../base/errors';
import { openRouterSite } from './address';

const keySchema = z.object({ data: z.object({ label: z.string() }) });

/** True for what has the form of an OpenRouter key. */
export function isKey(text: string): boolean {
  return /^sk-or-[\w-]{1,200}$/.test(text);
}

/** Where its owner looks at the key and revokes it. OpenRouter names the page by the key's hash, which does not tell the key. */
export function keyPage(key: string): string {
  return `${openRouterSite}/keys/${bytesToHex(sha256(utf8ToBytes(key)))}`;
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
