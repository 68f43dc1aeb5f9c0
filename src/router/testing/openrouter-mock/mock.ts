// OpenRouter as a function from a request to an answer: deterministic, scripted, on the clock that it is given. It keeps every request that
// it saw. This file leads from a path to an answer; what is said is in the files beside it.
import { assert } from '../../../base/assert';
import { createAccount, contextOf, keyBody, type Account, type AccountSettings } from './account';
import { completionBody, completionPieces, type Identity, type Piece } from './answer-wire';
import type { Behaviour, Context } from './behaviour';
import { streamPieces, type BodyEnd, type Clock } from './body-stream';
import {
  imageEndpoints,
  listImageModels,
  listModels,
  modelEndpoints,
  oneModel,
  type EndpointFacts,
} from './catalogue';
import { defaultAnswer, refusalOf } from './completions';
import { answerPreflight, corsHeaders } from './cors';
import { answerEmbeddings } from './embeddings';
import { errorCases } from './error-cases';
import { defaultModels, type MockModel } from './fixture-models';
import { drawPicture } from './pictures';
import { recordRequest, type RecordedRequest } from './record';
import { errorBody, json, type Reply } from './reply';
import { createScript, type Script } from './script';
import { createSignIn } from './sign-in';

export type MockOptions = {
  readonly clock: Clock;
  readonly account?: Partial<AccountSettings>;
  readonly firstKey?: string;
  /** Whether a preflight lets `X-Stainless-*` through. Both were said of OpenRouter. */
  readonly allowsStainless?: boolean;
  /** How long `/generation` knows nothing of a request. */
  readonly generationLagMs?: number;
};

export type OpenRouterMock = {
  /** Answers `<origin>/api/v1/…` and `<origin>/auth`. Rejects on abort and where the script refuses to answer. */
  readonly handle: (request: Request) => Promise<Response>;
  readonly script: Script;
  /** The account of `firstKey` and of every key that signing in makes. */
  readonly account: Account;
  readonly firstKey: string;
  /** Adds a key of another account. */
  addKey(key: string, account: Account): void;
  /** Every request but preflights, the oldest first. */
  readonly requests: readonly RecordedRequest[];
  /** Those that ask a model: chats, pictures, embeddings. */
  readonly calls: readonly RecordedRequest[];
  /** How many preflights were asked. */
  readonly preflights: number;
  /** The lists' content; replace it to let models come and go. */
  models: readonly MockModel[];
  /** What `/endpoints` says of a model. */
  readonly endpoints: Map<string, EndpointFacts>;
  /** Answers of the GET routes in place of the usual ones, by path: an outage of `/models`. */
  readonly outages: Map<string, Behaviour>;
};

const callPaths = ['/chat/completions', '/images', '/embeddings'];

export function createOpenRouterMock({
  clock,
  account = {},
  firstKey = `sk-or-v1-mock${'0'.repeat(56)}1`,
  allowsStainless = false,
  generationLagMs = 60_000,
}: MockOptions): OpenRouterMock {
  const script = createScript();
  const own = createAccount(account);
  const keys = new Map([[firstKey, own]]);
  const signIn = createSignIn(() => {
    const key = `sk-or-v1-made${'0'.repeat(56)}${keys.size + 1}`;
    keys.set(key, own);
    return key;
  }, own.userId);
  const requests: RecordedRequest[] = [];
  const generations = new Map<string, number>(); // when each was made, ms
  let preflights = 0;

  const mock: OpenRouterMock = {
    handle,
    script,
    account: own,
    firstKey,
    addKey: (key, other) => void keys.set(key, other),
    requests,
    get calls() {
      return requests.filter(({ path }) => callPaths.includes(path));
    },
    get preflights() {
      return preflights;
    },
    models: defaultModels,
    endpoints: new Map(),
    outages: new Map(),
  };
  return mock;

  async function handle(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (request.method === 'OPTIONS') {
      preflights++;
      return answerPreflight(request, allowsStainless);
    }
    if (url.pathname === '/auth') return send(signIn.authorize(url.searchParams, clock.now()), undefined);
    const record = await recordRequest(request, url.pathname.replace(/^\/api\/v1/, ''), clock.now());
    requests.push(record);
    request.signal.addEventListener('abort', () => {
      if (record.end === 'open') record.end = 'aborted';
    });
    const response = await answer(record, request.signal);
    record.status = response.status;
    return response;
  }

  function answer(record: RecordedRequest, signal: AbortSignal): Response | Promise<Response> {
    const { method, path, query, model: id } = record;
    const now = clock.now();
    const outage = mock.outages.get(path);
    if (outage) return perform(outage, record, contextOf(own, id, now), signal);
    const reply = (what: Reply) => send(what, record);
    if (path === '/auth/keys') {
      return reply(
        method === 'POST'
          ? signIn.exchange(record.body, now)
          : json(405, errorBody(405, 'Method Not Allowed')),
      );
    }
    if (method === 'GET') {
      const open = publicList(path, query);
      if (open) return reply(open);
    }
    const key = /^Bearer (.+)$/.exec(record.headers['authorization'] ?? '')?.[1];
    const holder = keys.get(key ?? '');
    if (!holder || key === undefined) {
      const refusal = errorCases[key === undefined ? 'E1-cookie' : 'E2-user'];
      return perform(refusal, record, contextOf(own, id, now), signal);
    }
    if (method === 'GET') return reply(privateList(path, query, key, holder));
    if (method === 'POST' && callPaths.includes(path)) return call(record, holder, signal);
    return reply(json(404, errorBody(404, 'Not Found')));
  }

  function publicList(path: string, query: URLSearchParams): Reply | undefined {
    if (path === '/models') return listModels(mock.models, query);
    if (path === '/models/count') {
      const { data } = listModels(mock.models, query).body as { data: readonly unknown[] };
      return json(200, { data: { count: data.length } });
    }
    if (path === '/images/models') return listImageModels(mock.models);
    const [, kind, id] = /^\/(images\/models|models|model)\/([^/]+\/[^/]+)(?:\/endpoints)?$/.exec(path) ?? [];
    if (kind === undefined || id === undefined) return undefined;
    const name = decodeURIComponent(id);
    if (kind === 'model') return oneModel(mock.models, name);
    if (kind === 'models') return modelEndpoints(mock.models, name, mock.endpoints.get(name));
    return imageEndpoints(mock.models, name);
  }

  function privateList(path: string, query: URLSearchParams, key: string, holder: Account): Reply {
    const now = clock.now();
    switch (path) {
      case '/models/user':
        return listModels(
          mock.models.filter(({ id }) => !holder.hiddenModels.includes(id)),
          query,
        );
      case '/key':
        return json(200, keyBody(key, holder, now), { 'Cache-Control': 'private, no-store' });
      case '/credits':
        return holder.tellsCredits
          ? json(200, { data: { total_credits: 0, total_usage: 0 } })
          : json(403, errorBody(403, 'Only management keys can perform this operation'));
      case '/generation': {
        const id = query.get('id') ?? '';
        const madeAt = generations.get(id);
        return madeAt === undefined || now < madeAt + generationLagMs
          ? json(404, errorBody(404, `Generation ${id} not found`))
          : json(200, { data: { id, total_cost: 0, is_byok: false } });
      }
      default:
        return json(404, errorBody(404, 'Not Found'));
    }
  }

  function call(record: RecordedRequest, holder: Account, signal: AbortSignal): Response | Promise<Response> {
    const { path, body, model: id } = record;
    const now = clock.now();
    const context = contextOf(holder, id, now);
    const model = mock.models.find((candidate) => candidate.id === id);
    const refusal = path === '/chat/completions' ? refusalOf(record, model) : undefined;
    if (refusal) return perform(refusal, record, context, signal);
    const isCounted = id.endsWith(':free') || id === 'openrouter/free';
    const limit = isCounted ? holder.admit(now) : undefined;
    if (limit) return perform(errorCases[limit], record, context, signal);
    const behaviour = script.take(id);
    if (behaviour === errorCases['E20-pool'] || behaviour === errorCases['E20-pool-with-wait'])
      holder.forgive();
    if (path === '/chat/completions' || behaviour.kind !== 'answer') {
      return perform(behaviour, record, context, signal);
    }
    if (path === '/embeddings') return send(answerEmbeddings(model, id, body), record);
    const picture = drawPicture(model, id, body);
    return 'status' in picture ? send(picture, record) : stream(picture, record, signal);
  }

  async function perform(
    behaviour: Behaviour,
    record: RecordedRequest,
    context: Context,
    signal: AbortSignal,
  ): Promise<Response> {
    switch (behaviour.kind) {
      case 'no-answer':
        if (behaviour.how === 'silence') await clock.sleep(Infinity, signal);
        record.end = 'dropped';
        throw new TypeError('fetch failed');
      case 'reply': {
        const { status, body, headers } = behaviour;
        return send({ status, body: body(context), headers: headers?.(context) ?? {} }, record);
      }
      case 'answer': {
        const model = mock.models.find(({ id }) => id === record.model);
        assert(model !== undefined, `an answer of the unknown model '${record.model}'`);
        const { delivery = {}, answer: said = defaultAnswer(model) } = behaviour;
        const identity: Identity = {
          id: newId(),
          created: Math.floor(context.now / 1000),
          model: model.id,
        };
        if (record.body['stream'] !== true || delivery.asJson === true) {
          return send(json(200, completionBody(identity, said), { 'X-Generation-Id': identity.id }), record);
        }
        const pieces = completionPieces(identity, said, delivery);
        return stream(pieces, record, signal, delivery.splitBytes, identity.id);
      }
    }
  }

  function newId(): string {
    const now = clock.now();
    const id = `gen-${Math.floor(now / 1000)}-${String(generations.size + 1).padStart(20, 'x')}`;
    generations.set(id, now);
    return id;
  }

  function send({ status, body, headers = {} }: Reply, record: RecordedRequest | undefined): Response {
    if (record?.end === 'open') record.end = 'sent';
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return new Response(text, {
      status,
      headers: { 'Content-Type': 'application/json', 'X-Generation-Id': newId(), ...corsHeaders, ...headers },
    });
  }

  function stream(
    pieces: readonly Piece[],
    record: RecordedRequest,
    signal: AbortSignal,
    splitBytes?: number,
    id = newId(),
  ): Response {
    const onEnd = (end: BodyEnd) => {
      if (record.end === 'open') record.end = end;
    };
    return new Response(streamPieces(pieces, clock, signal, onEnd, splitBytes), {
      headers: { 'Content-Type': 'text/event-stream', 'X-Generation-Id': id, ...corsHeaders },
    });
  }
}
