// A window with storages of its own, and windows of the same browser that share one of them.
import type { KeyWindow } from '../openrouter-key';

export type FakeKeyWindow = KeyWindow & {
  /** Another tab of the same browser. */
  readonly openTab: () => FakeKeyWindow;
};

type Listener = (event: { readonly key: string | null }) => void;

class MapStorage implements Storage {
  readonly #values: Map<string, string>;
  readonly #changed: (key: string | null) => void;

  constructor(values: Map<string, string>, changed: (key: string | null) => void = () => {}) {
    this.#values = values;
    this.#changed = changed;
  }

  get length() {
    return this.#values.size;
  }

  clear(): void {
    this.#values.clear();
    this.#changed(null);
  }

  getItem(key: string): string | null {
    return this.#values.get(key) ?? null;
  }

  key(index: number): string | null {
    return [...this.#values.keys()][index] ?? null;
  }

  removeItem(key: string): void {
    if (this.#values.delete(key)) this.#changed(key);
  }

  setItem(key: string, value: string): void {
    this.#values.set(key, value);
    this.#changed(key);
  }
}

/** A browser's first tab. */
export function createFakeKeyWindow(): FakeKeyWindow {
  const listeners = new Map<FakeKeyWindow, Listener[]>();
  const local = new Map<string, string>();
  const open = (): FakeKeyWindow => {
    // a tab hears of what the others do, not of what it does itself
    const tell = (key: string | null) => {
      for (const [other, hear] of listeners) if (other !== tab) hear.forEach((listener) => listener({ key }));
    };
    const tab: FakeKeyWindow = {
      sessionStorage: new MapStorage(new Map()),
      localStorage: new MapStorage(local, tell),
      addEventListener: (_, listener) => void listeners.get(tab)!.push(listener),
      openTab: open,
    };
    listeners.set(tab, []);
    return tab;
  };
  return open();
}
