// The account behind a key: admits requests to its minute, counts them, keeps its stops. Records lie in the store under a hash of the
// key, so another key starts fresh and other tabs see the same counts.
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import {
  accountSchema,
  current,
  emptyAccount,
  freeAt,
  stopFailure,
  withFailure,
  withKeyFacts,
  withoutStops,
  type AccountRecord,
  type KeyFacts,
} from './account-record';
import type { AttemptError, Failure } from './failure';
import { changeRecord, readRecord, type RouterStore } from './store';
import type { Clock } from './watchdog';

/** Longest wait of one request for the account's minute, in ms: one window. */
export const longestQueue = 61_000;

export type Account = {
  readonly id: string; // hash of the key; '' without a key
  /** The record as it is now. */
  read(): Promise<AccountRecord>;
  /**
   * Waits for a place in the account's minute, counts the request and returns the ms waited. `queueLeftMs` limits the wait.
   * Returns the failure of a stop, or of a wait that would be too long.
   */
  admit(
    queueLeftMs: number,
    signal: AbortSignal,
    onWait: (until: number) => void,
  ): Promise<
    { readonly waitedMs: number } | { readonly stop: AttemptError } | { readonly fullUntil: number }
  >;
  answered(): Promise<void>;
  failed(failure: Failure, model: string, isOnlyModel: boolean): Promise<AccountRecord>;
  learn(facts: KeyFacts): Promise<void>;
  lift(): Promise<void>;
};

/** The account of `id`. `onChange` hears of each new record. */
export function openAccount(
  id: string,
  store: RouterStore,
  { now, sleep }: Clock,
  onChange: (record: AccountRecord) => void,
): Account {
  const key = `account:${id}`;

  async function change(by: (record: AccountRecord) => AccountRecord): Promise<AccountRecord> {
    const record = await changeRecord(store, key, accountSchema, emptyAccount, (old) =>
      by(current(old, now())),
    );
    onChange(record);
    return record;
  }

  return {
    id,
    async read() {
      const record = current(await readRecord(store, key, accountSchema, emptyAccount), now());
      onChange(record);
      return record;
    },
    async admit(queueLeftMs, signal, onWait) {
      const start = now();
      for (;;) {
        let stop: AttemptError | undefined;
        let at = 0;
        await change((record) => {
          stop = stopFailure(record, now());
          at = freeAt(record, now());
          const isFree = !stop && at <= now();
          return isFree ? { ...record, sentAt: [...record.sentAt, now()], sent: record.sent + 1 } : record;
        });
        if (stop) return { stop };
        const waitedMs = now() - start;
        if (at <= now()) return { waitedMs };
        if (at - start > queueLeftMs) return { fullUntil: at };
        onWait(at);
        await sleep(at - now(), signal);
      }
    },
    async answered() {
      await change((record) => ({ ...record, answered: record.answered + 1, policyModels: [] }));
    },
    failed: (failure, model, isOnlyModel) =>
      change((record) => withFailure(record, failure, model, isOnlyModel, now())),
    async learn(facts) {
      await change((record) => withKeyFacts(record, facts, now()));
    },
    async lift() {
      await change(withoutStops);
    },
  };
}

/** SHA-256 of `text` in hexadecimal: a name for a key that does not tell it. */
export function hashText(text: string): string {
  return bytesToHex(sha256(utf8ToBytes(text)));
}
