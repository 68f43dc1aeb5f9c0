// The free-model router: every free model of OpenRouter behind one OpenAI-compatible interface, with the person's own key. This file
// puts the parts together; attempts.ts is the loop of a request.
import { hashText, openAccount, type Account } from './account';
import { current, emptyAccount, parseKeyFacts, quotaOf, stopFailure, stopsOf } from './account-record';
import { AttemptsFailed } from './attempts';
import { createSticky } from './choose';
import type { Draw } from './draw';
import { endpointPrior } from './endpoint-prior';
import { AttemptError } from './failure';
import { createFailureMemory } from './failure-memory';
import { createHealth } from './health';
import type { Model } from './model-record';
import { answerChat, unknownModel } from './openai/chat';
import { answerEmbeddings } from './openai/embeddings';
import { errorResponse, requestErrorOf, RequestError } from './openai/errors';
import { answerImages, drawLocally, isLocalPicture } from './openai/images';
import { modelItems, modelStatus } from './openai/models';
import { parseBody, readEnvelope, type Envelope } from './openai/route';
import { pageHooks, type RouterInit } from './page-hooks';
import { mintId, type RouterParts } from './parts';
import { costOf, createQuarantine } from './quarantine';
import { redact } from './redact';
import { createRegistry, type RegistrySource } from './registry';
import type { RouterStatus } from './status';
import type { RouterStore } from './store';
import { createUpstream } from './upstream';

export type RouterOptions = {
  readonly fetch: typeof globalThis.fetch; // to OpenRouter
  readonly upstream: string; // 'https://openrouter.ai/api/v1', a build constant of the caller
  readonly apiKey: () => string | undefined; // asked at each request; never kept, never logged
  readonly now: () => number; // ms since 1970
  readonly random: () => number; // [0, 1)
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>; // until `now` is `ms` later; rejects when aborted
  readonly store: RouterStore;
  readonly draw?: Draw; // draws locally: the `likeness/<subject>` models
  readonly title?: string; // of the app, told to OpenRouter
  readonly referer?: string; // its address
};

export type Router = {
  /** Answers a request for `<anything>/v1/…` as the OpenAI API does. Never rejects but on abort. Ignores the request's own Authorization. */
  fetch(input: RequestInfo | URL, init?: RouterInit): Promise<Response>;
  /** For the page: the live state and its changes. `get` returns the same object until something changed. */
  readonly status: {
    get(): RouterStatus;
    subscribe(listener: (status: RouterStatus) => void): () => void;
  };
  /** Reads the model list and the key's facts now. Rejects on abort only; a failure is told in the status. */
  refresh(signal?: AbortSignal): Promise<void>;
  /** The person pressed "try again": every stop of this key is lifted. */
  retryStopped(): void;
};

/** The account's facts are read again after this, in ms, beside a request. */
const keyFactsAge = 5 * 60_000;

/** What can stand in a header; a key with anything else was not copied whole. */
const headerText = /^[\x21-\x7e]+$/;

/** Makes a router. It does nothing until it is asked. */
export function createRouter(options: RouterOptions): Router {
  const { now, random, sleep, store } = options;
  const clock = { now, sleep };
  const neverAborted = new AbortController().signal;

  const listeners = new Set<(status: RouterStatus) => void>();
  let status: RouterStatus | undefined;
  const onChange = () => {
    status = undefined;
    if (listeners.size > 0) for (const listener of listeners) listener(getStatus());
  };

  let shownAccount = emptyAccount;
  const health = createHealth(now);
  const upstream = createUpstream(options);
  const quarantine = createQuarantine(store, now, onChange);
  const registry = createRegistry({
    upstream,
    store,
    now,
    isQuarantined: (id) => quarantine.has(id),
    onChange,
    onListed: (models) => void readPriors(models),
  });
  const parts: RouterParts = {
    clock,
    random,
    upstream,
    health,
    registry,
    quarantine,
    memory: createFailureMemory(now),
    sticky: createSticky(),
    draw: options.draw,
    checkCost(id, usage) {
      const cost = costOf(usage);
      if (cost !== undefined) quarantine.add(id, cost).catch(ignoreStore);
    },
    onChange,
  };

  let lastAccount: { readonly key: string; readonly account: Account } | undefined;
  function accountOf(key: string): Account {
    if (lastAccount?.key === key) return lastAccount.account;
    const account = openAccount(hashText(key), store, clock, (record) => {
      shownAccount = record;
      onChange();
    });
    lastAccount = { key, account };
    shownAccount = emptyAccount; // a stop belongs to its key
    return account;
  }

  async function sourceOf(key: string | undefined): Promise<RegistrySource> {
    await quarantine.load();
    return { id: key === undefined ? '' : accountOf(key).id, key };
  }

  let keyFactsAt = -Infinity;
  /** Today's count as OpenRouter has it. It lags, costs nothing, and a failure of it changes nothing. */
  async function readKeyFacts(key: string, account: Account): Promise<void> {
    keyFactsAt = now();
    try {
      await account.learn(parseKeyFacts(await upstream.get('/key', key, neverAborted)));
    } catch (error) {
      const isKnown = error instanceof AttemptError && error.failure.kind === 'key-invalid';
      if (isKnown) await account.failed(error.failure, '', false);
    }
  }

  async function readPriors(models: readonly Model[]): Promise<void> {
    for (const { id } of models) {
      if (health.of(id).samples > 0 || health.of(id).hasPrior) continue;
      const body = await upstream
        .get(`/models/${id}/endpoints`, undefined, neverAborted)
        .catch(() => undefined);
      health.setPrior(id, endpointPrior(body)); // an unreadable answer is not asked for again
    }
    onChange();
  }

  /** Answers, or throws a RequestError, an AttemptsFailed or an AttemptError of the registry. */
  async function answer(
    { route, path, readText }: Envelope,
    init: RouterInit | undefined,
    signal: AbortSignal,
  ) {
    const key = options.apiKey();
    if (route.kind === 'models' || route.kind === 'model') {
      const items = await modelItems(parts, await registry.models(await sourceOf(key), signal));
      if (route.kind === 'models') return Response.json({ object: 'list', data: items });
      const item = items.find(({ id }) => id === route.id);
      if (!item) throw unknownModel(route.id);
      return Response.json(item);
    }
    const text = await readText();
    const body = parseBody(text);
    if (route.kind === 'images' && isLocalPicture(body)) return drawLocally(parts, body, signal);
    if (key === undefined) throw new RequestError(401, 'invalid_api_key', 'There is no OpenRouter key yet.');
    if (!headerText.test(key))
      throw new RequestError(401, 'invalid_api_key', 'The OpenRouter key is damaged.');
    await quarantine.load();
    const account = accountOf(key);
    const stop = stopFailure(await account.read(), now());
    if (stop) throw requestErrorOf(stop.failure);
    if (now() - keyFactsAt > keyFactsAge) void readKeyFacts(key, account);
    const hash = hashText(`${path}\n${text}`);
    const incoming = { body, hash, key, account, hooks: init?.[pageHooks] ?? {}, signal };
    switch (route.kind) {
      case 'chat':
        return answerChat(parts, incoming);
      case 'images':
        return answerImages(parts, incoming);
      case 'embeddings':
        return answerEmbeddings(parts, incoming);
    }
  }

  function getStatus(): RouterStatus {
    if (status) return status;
    const { models, changes, listedAt, failure } = registry.snapshot();
    const account = current(shownAccount, now());
    status = {
      models: models.map((model) => modelStatus(parts, now(), model)),
      changes,
      quota: quotaOf(account, now()),
      stops: stopsOf(account),
      notices: quarantine.notices(),
      listedAt,
      listFailure: failure,
    };
    return status;
  }

  return {
    async fetch(input, init) {
      const signal = init?.signal ?? (input instanceof Request ? input.signal : new AbortController().signal);
      signal.throwIfAborted();
      const requestId = mintId('req-', random);
      let response: Response;
      try {
        response = await answer(readEnvelope(input, init), init, signal);
      } catch (error) {
        signal.throwIfAborted();
        const attempts = error instanceof AttemptsFailed ? error.count : 0;
        const headers = { 'x-request-id': requestId, 'x-router-attempts': String(attempts) };
        return errorResponse(toRequestError(error), headers);
      }
      if (!response.headers.has('x-request-id')) response.headers.set('x-request-id', requestId);
      return response;
    },
    status: {
      get: getStatus,
      subscribe(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    async refresh(signal = neverAborted) {
      const key = options.apiKey();
      const source = await sourceOf(key);
      await registry.refresh(source, signal).catch(() => signal.throwIfAborted()); // a failure is in the status
      if (key === undefined) {
        shownAccount = emptyAccount;
        onChange();
        return;
      }
      await accountOf(key).read();
      await readKeyFacts(key, accountOf(key));
    },
    retryStopped() {
      const key = options.apiKey();
      if (key !== undefined) accountOf(key).lift().catch(ignoreStore);
    },
  };
}

/** A store that fails is told by the next request, which cannot do without it. */
function ignoreStore(): void {}

function toRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  if (error instanceof AttemptsFailed) return error.error;
  if (error instanceof AttemptError) return requestErrorOf(error.failure);
  const words = redact(error instanceof Error ? error.message : 'unknown');
  return new RequestError(500, 'internal_error', `The router failed: ${words}`);
}
