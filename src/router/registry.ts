// The live list of free models: OpenRouter's public one, or with a key the account's own (`/models/user`, filtered by its privacy
// settings). Kept with its time, read again by age and by evidence, with a feed of what came and went.
import { z } from 'zod';
import { isEligible } from './eligibility';
import { AttemptError, ownFailure, rules, type FailureKind } from './failure';
import { modelOf, parseModelList, type Model, type ModelRecord } from './model-record';
import type { Need } from './requirements';
import type { ModelChange } from './status';
import { readRecord, type RouterStore } from './store';
import type { Upstream } from './upstream';

const maxAgeMs = 30 * 60_000; // then it is read again beside the next request
const uselessAgeMs = 24 * 60 * 60_000; // then the next request waits for it
const minAgeMs = 2 * 60_000; // OpenRouter's own cache: sooner brings nothing
const keptChanges = 50;
const soonMs = 14 * 24 * 60 * 60_000;

const listSchema = z.object({
  version: z.literal(1),
  at: z.number(), // ms since 1970
  models: z.array(z.unknown()),
  changes: z.array(z.object({ kind: z.enum(['new', 'gone']), id: z.string(), at: z.number() })),
});

type List = {
  readonly at: number;
  readonly models: readonly Model[];
  readonly changes: readonly ModelChange[];
};

const noList: List = { at: 0, models: [], changes: [] };

/** Failures that say that the list is out of date. */
const evidence: ReadonlySet<FailureKind> = new Set(['gone', 'paid-now', 'bad-model-id', 'no-free-endpoints']);

export type RegistrySource = { readonly id: string; readonly key: string | undefined };

export type Registry = {
  /** The eligible models that may be asked now; reads the list where it must, and in the background where it should. */
  models(source: RegistrySource, signal: AbortSignal): Promise<readonly Model[]>;
  /** Reads the list now. Throws an AttemptError. */
  refresh(source: RegistrySource, signal: AbortSignal): Promise<void>;
  /** A model failed: out until the list was read again, and the list is due. */
  noteFailure(id: string, kind: FailureKind): void;
  lostNeeds(id: string): ReadonlySet<Need>;
  loseNeed(id: string, need: Need): void;
  snapshot(): {
    readonly models: readonly Model[];
    readonly changes: readonly ModelChange[];
    readonly listedAt: number | undefined;
    readonly failure: string | undefined;
  };
};

export type RegistryOptions = {
  readonly upstream: Upstream;
  readonly store: RouterStore;
  readonly now: () => number;
  readonly isQuarantined: (id: string) => boolean;
  readonly onChange: () => void;
  /** A list was read: for what is read beside it. */
  readonly onListed: (models: readonly Model[], source: RegistrySource) => void;
};

/** The registry; it reads nothing until it is asked. */
export function createRegistry(options: RegistryOptions): Registry {
  const { upstream, store, now } = options;
  const lists = new Map<string, List>(); // by source
  const running = new Map<string, Promise<void>>();
  const removed = new Set<string>();
  const lost = new Map<string, Set<Need>>();
  const noNeeds: ReadonlySet<Need> = new Set();
  const neverAborted = new AbortController().signal;
  let isDue = false;
  let triedAt = 0; // ms since 1970
  let failure: string | undefined;
  let shown = '';

  const isUsable = (model: Model) =>
    !removed.has(model.id) && !options.isQuarantined(model.id) && (model.expiresAt ?? Infinity) > now();

  async function stored(source: RegistrySource): Promise<List> {
    const empty = { version: 1 as const, at: 0, models: [], changes: [] };
    const { at, models, changes } = await readRecord(store, keyOf(source), listSchema, empty);
    return { at, models: toModels(parseModelList({ data: models }), now()), changes };
  }

  async function read(source: RegistrySource): Promise<void> {
    try {
      const old = lists.get(source.id) ?? (await stored(source));
      const records = (await readList(upstream, source, neverAborted)).filter((record) =>
        isEligible(record, now()),
      );
      const models = toModels(records, now());
      const changes = [...compare(old, models, now()), ...old.changes].slice(0, keptChanges);
      const at = now();
      await store.update(keyOf(source), () =>
        // JSON in, JSON out: what a record holds came from JSON
        z.json().parse({ version: 1, at, models: records, changes }),
      );
      lists.set(source.id, { at, models, changes });
      removed.clear();
      isDue = false;
      failure = undefined;
      options.onListed(models, source);
    } catch (error) {
      failure =
        error instanceof AttemptError ? error.failure.message : 'The list of models is not understood.';
      throw error instanceof AttemptError ? error : new AttemptError(ownFailure('server', failure));
    } finally {
      options.onChange();
    }
  }

  /** One reading at a time for all who wait; it goes on when the one that started it leaves. */
  function refresh(source: RegistrySource, signal: AbortSignal): Promise<void> {
    let shared = running.get(source.id);
    if (!shared) {
      triedAt = now();
      shared = read(source).finally(() => running.delete(source.id));
      shared.catch(() => undefined); // told to those who wait, and in the snapshot
      running.set(source.id, shared);
    }
    return untilAborted(shared, signal);
  }

  return {
    refresh: (source, signal) => {
      shown = source.id;
      return refresh(source, signal);
    },
    async models(source, signal) {
      shown = source.id;
      const list = lists.get(source.id) ?? (await stored(source));
      lists.set(source.id, lists.get(source.id) ?? list);
      const age = now() - list.at;
      const isEmpty = list.models.length === 0;
      if (age > uselessAgeMs || (isEmpty && age > minAgeMs)) {
        await refresh(source, signal).catch((error: unknown) => {
          if (isEmpty || signal.aborted) throw error; // an old list is better than none
        });
      } else if ((isDue || age > maxAgeMs) && now() - Math.max(list.at, triedAt) > minAgeMs) {
        void refresh(source, neverAborted).catch(() => undefined); // told in the snapshot
      }
      return (lists.get(source.id) ?? noList).models.filter(isUsable);
    },
    noteFailure(id, kind) {
      if (evidence.has(kind)) isDue = true;
      if (rules[kind].model === 'until-listed') removed.add(id);
    },
    lostNeeds: (id) => lost.get(id) ?? noNeeds,
    loseNeed(id, need) {
      lost.set(id, new Set([...(lost.get(id) ?? []), need]));
    },
    snapshot() {
      const list = lists.get(shown) ?? noList;
      const models = list.models.filter(isUsable);
      const expiring = models.flatMap(({ id, expiresAt }): ModelChange[] =>
        expiresAt !== null && expiresAt - now() < soonMs ? [{ kind: 'expiring', id, at: expiresAt }] : [],
      );
      return {
        models,
        changes: [...expiring, ...list.changes],
        listedAt: list.at === 0 ? undefined : list.at,
        failure,
      };
    },
  };
}

const keyOf = ({ id }: RegistrySource) => `models:${id || 'public'}`;

const toModels = (records: readonly ModelRecord[], now: number): readonly Model[] =>
  records.filter((record) => isEligible(record, now)).map(modelOf);

/** The account's list where there is a key that has one, else the public one. */
async function readList(
  upstream: Upstream,
  { key }: RegistrySource,
  signal: AbortSignal,
): Promise<readonly ModelRecord[]> {
  if (key !== undefined) {
    try {
      return parseModelList(await upstream.get('/models/user', key, signal));
    } catch (error) {
      const isRefused =
        error instanceof AttemptError && error.failure.status >= 400 && error.failure.status < 500;
      if (!isRefused) throw error; // a refused key is found out by its first request
    }
  }
  return parseModelList(await upstream.get('/models', undefined, signal));
}

function compare(old: List, models: readonly Model[], at: number): readonly ModelChange[] {
  if (old.at === 0) return []; // the first list is no news
  const before = new Set(old.models.map(({ id }) => id));
  const after = new Set(models.map(({ id }) => id));
  return [
    ...[...after].filter((id) => !before.has(id)).map((id) => ({ kind: 'new', id, at }) as const),
    ...[...before].filter((id) => !after.has(id)).map((id) => ({ kind: 'gone', id, at }) as const),
  ];
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
