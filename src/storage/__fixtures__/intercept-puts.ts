// Stands between the code and IndexedDB's put, to fail as a full disk or a killed tab would at a chosen moment.

type Put = (this: IDBObjectStore, value: unknown, key?: IDBValidKey) => IDBRequest<IDBValidKey>;

const original = Reflect.get(IDBObjectStore.prototype, 'put') as Put;

/** Calls `intercept` for each put from now on, with the store and how many puts there were; `proceed` does the put. */
export function interceptPuts(
  intercept: (store: IDBObjectStore, count: number, proceed: () => IDBRequest<IDBValidKey>) => void,
): void {
  let count = 0;
  const put: Put = function (value, key) {
    let request: IDBRequest<IDBValidKey> | undefined;
    intercept(this, ++count, () => (request = original.call(this, value, key)));
    return request ?? original.call(this, value, key);
  };
  IDBObjectStore.prototype.put = put;
}

/** Ends the interception. */
export function restorePuts(): void {
  IDBObjectStore.prototype.put = original;
}

/** The error that browsers give where there is no room. */
export function quotaError(): DOMException {
  return new DOMException('no room', 'QuotaExceededError');
}
