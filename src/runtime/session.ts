// One ORT session behind the gate: opened, run and released one call at a time. A session whose run failed is dropped
// (its I/O binding is stale afterwards) and opened anew by the next run.
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { assert } from '../base/assert';
import type { OrtEngine } from './ort';

type Call = { readonly feeds: Record<string, Tensor>; readonly fetches?: Record<string, Tensor> };

export class GatedSession {
  readonly #engine: OrtEngine;
  readonly #model: Uint8Array;
  readonly #options: () => InferenceSession.SessionOptions;
  readonly #translate: (error: unknown) => Error;
  #session: InferenceSession | undefined;
  #closed = false;

  /** `options` is asked at every opening (ORT writes into the object); `translate` makes the errors that callers see. */
  constructor(
    engine: OrtEngine,
    model: Uint8Array,
    options: () => InferenceSession.SessionOptions,
    translate: (error: unknown) => Error,
  ) {
    this.#engine = engine;
    this.#model = model;
    this.#options = options;
    this.#translate = translate;
  }

  /** Creates the session now instead of at the first run. */
  async open(): Promise<void> {
    await this.#engine.gate(() => this.#opened());
  }

  /**
   * One call of ORT while the gate is held: `prepare` makes what is fed and fetched, `receive` takes the results before the next
   * call starts. What ORT throws drops the session; what the two throw is a bug and passes through.
   */
  run<T>(prepare: () => Call, receive: (results: InferenceSession.OnnxValueMapType) => T): Promise<T> {
    return this.#engine.gate(async () => {
      const session = await this.#opened();
      const { feeds, fetches } = prepare();
      let results: InferenceSession.OnnxValueMapType;
      try {
        results = await (fetches ? session.run(feeds, fetches) : session.run(feeds));
      } catch (error) {
        this.#session = undefined;
        await session.release().catch(() => {}); // the first error is the one to tell
        throw this.#translate(error);
      }
      return receive(results);
    });
  }

  /** Releases the session after the calls before it; later runs fail. Never rejects. */
  async close(): Promise<void> {
    await this.#engine.gate(async () => {
      const session = this.#session;
      this.#session = undefined;
      this.#closed = true;
      await session?.release().catch(() => {}); // nothing is lost with a session that cannot be released
    });
  }

  async #opened(): Promise<InferenceSession> {
    assert(!this.#closed, 'the program is disposed');
    if (this.#session) return this.#session;
    try {
      this.#session = await this.#engine.ort.InferenceSession.create(this.#model, this.#options());
      return this.#session;
    } catch (error) {
      throw this.#translate(error);
    }
  }
}
