// The SHA-256 of a file of any size, read piece by piece: WebCrypto hashes whole buffers only.
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { freeBytes } from '../base/free-bytes';

/** Hex SHA-256 of `file`; `onProgress` is told the bytes read so far. Aborts between pieces. */
export async function hashFile(
  file: Blob,
  signal: AbortSignal,
  onProgress: (bytes: number) => void,
): Promise<string> {
  const hash = sha256.create();
  const reader = file.stream().getReader();
  let bytes = 0;
  for (;;) {
    signal.throwIfAborted();
    const { done, value } = await reader.read();
    if (done) return bytesToHex(hash.digest());
    hash.update(value);
    bytes += value.length;
    freeBytes(value);
    onProgress(bytes);
  }
}
