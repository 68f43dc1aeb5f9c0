// How often the picture under way may be shown: no oftener than an eye wants it, and never so that drawing takes much longer.

/** No two previews are closer. */
const leastMs = 500;

/** Between two previews at least so many times what one takes, which is a delay of a tenth at most. */
const pauseFactor = 10;

export class PreviewPace {
  readonly #now: () => number; // ms
  #lastEnd: number;
  #costMs = 0; // of the last preview

  constructor(now: () => number) {
    this.#now = now;
    this.#lastEnd = now();
  }

  /** Whether a preview may be made now. */
  isDue(): boolean {
    return this.#now() - this.#lastEnd >= Math.max(leastMs, pauseFactor * this.#costMs);
  }

  /** Makes a preview, and takes its time. */
  async measure<T>(make: () => Promise<T>): Promise<T> {
    const begin = this.#now();
    const made = await make();
    this.#lastEnd = this.#now();
    this.#costMs = this.#lastEnd - begin;
    return made;
  }
}
