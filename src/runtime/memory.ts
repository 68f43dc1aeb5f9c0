// The memory account: bytes in use by label ("UNet weights", "training step"), for the page's memory table and for tests.

export class MemoryAccount {
  readonly #bytes = new Map<string, number>();

  /** Books `bytes` under `label`; the answer takes them back and does nothing when called again. */
  add(label: string, bytes: number): () => void {
    this.#change(label, bytes);
    let booked = bytes;
    return () => {
      this.#change(label, -booked);
      booked = 0;
    };
  }

  /** Bytes in use by label; labels that hold nothing are absent. */
  entries(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#bytes);
  }

  #change(label: string, bytes: number): void {
    const after = (this.#bytes.get(label) ?? 0) + bytes;
    if (after === 0) this.#bytes.delete(label);
    else this.#bytes.set(label, after);
  }
}
