// Memory of bytes that streamed through: engines let hundreds of megabytes of it lie about before they collect it.

/**
 * Gives the memory of `bytes` back now, if they have a buffer to themselves; they are gone then. Engines without
 * ArrayBuffer.transfer (Node 20) leave it to their collector.
 */
export function freeBytes({ buffer, byteLength }: Uint8Array): void {
  const isAlone = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength && byteLength > 0;
  if (isAlone && 'transfer' in buffer) buffer.transfer(0);
}
