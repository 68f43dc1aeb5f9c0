// POST /chat/completions: read, find the models that can answer, run the attempts, answer in OpenAI's shape.
import { counterUniform } from '../../base/random';
import type { Answer } from '../answer';
import { AttemptsFailed, runAttempts, type Plan } from '../attempts';
import { isFreeId } from '../eligibility';
import { maxAttempts } from '../failure-memory';
import { ownWeight, passesFilters } from '../filters';
import type { Model } from '../model-record';
import { supports } from '../model-record';
import { listModels, mintId, type Incoming, type RouterParts } from '../parts';
import { requirementsOf, unmetNeed, type Requirements } from '../requirements';
import { trimMessages } from '../trim';
import { virtualModel, type VirtualModel } from '../virtual-models';
import { buildChatBody } from './chat-body';
import { parseChatRequest, type ChatRequest } from './chat-request';
import { foldAnswer, streamChunks } from './chat-response';
import { badRequest, RequestError } from './errors';
import { checkedJson } from './json-schema';

/** Weight of a model that takes a JSON schema as a wish only, against one that follows it. */
const looseSchemaWeight = 0.3;
/** Tokens left for the answer when a conversation is trimmed. */
const trimmedAnswerTokens = 1024;

/** Answers a chat. Throws RequestError or AttemptsFailed; rejects on abort. */
export async function answerChat(parts: RouterParts, incoming: Incoming): Promise<Response> {
  const { registry, clock, random, sticky } = parts;
  const { signal, hooks } = incoming;
  const asked = parseChatRequest(incoming.body);
  const virtual = virtualModel(asked.model);
  if (!virtual) checkExactName(asked.model);
  const models = (await listModels(parts, incoming)).filter(
    (model) => virtual !== undefined || model.id === asked.model,
  );
  if (!virtual && models.length === 0) throw unknownModel(asked.model);
  const allowed = models.filter((model) => passesFilters(model, asked.filters));
  const { request, requirements, left } = fit(asked, virtual, allowed, (model, needs) =>
    unmetNeed(model, needs, registry.lostNeeds(model.id)),
  );

  const earlier = hooks.isFresh === true ? undefined : parts.memory.get(incoming.hash);
  if (earlier && earlier.attempts >= maxAttempts) throw new AttemptsFailed(earlier.error, earlier.attempts);
  const remember = (error: RequestError, attempts: number) =>
    parts.memory.set(incoming.hash, attempts, error);

  let contextTokens = requirements.contextTokens; // grows when a model finds the conversation too long
  const plan: Plan = {
    candidates: (tried) =>
      allowed.filter(
        (model) =>
          !tried.has(model.id) &&
          unmetNeed(model, { ...requirements, contextTokens }, registry.lostNeeds(model.id)) === undefined,
      ),
    weight: (model) =>
      ownWeight(request.filters, model.id) *
      parts.health.weight(model.id, virtual?.isFast === true) *
      (request.responseFormat?.type === 'json_schema' && !supports(model, 'structured_outputs')
        ? looseSchemaWeight
        : 1),
    preferred: request.filters.sticky === undefined ? undefined : sticky.get(request.filters.sticky),
    isExact: virtual === undefined,
    ignoresCoolDown: virtual === undefined && hooks.isFresh === true,
    hasOwnPolicy: request.provider?.data_collection === 'deny' || request.provider?.zdr === true,
    random: seededRandom(request.filters.seed, random),
    attemptsSpent: earlier?.attempts ?? 0,
    send: (model, hasMoreRoom, attemptSignal) => {
      const { body } = buildChatBody(request, model, requirements.promptTokens, hasMoreRoom);
      return parts.upstream.post('/chat/completions', incoming.key, body, attemptSignal);
    },
  };
  const deps = {
    clock,
    health: parts.health,
    account: incoming.account,
    onEvent: (event: Parameters<NonNullable<typeof hooks.onEvent>>[0]) => hooks.onEvent?.(event),
    onUsage: (model: Model, usage: Parameters<RouterParts['checkCost']>[1]) =>
      parts.checkCost(model.id, usage),
    noteFailure: (model: Model, kind: Parameters<typeof registry.noteFailure>[1]) => {
      registry.noteFailure(model.id, kind);
      if (kind === 'context') contextTokens = Math.max(contextTokens, model.contextLength + 1);
      if (kind === 'no-tools')
        registry.loseNeed(model.id, requirements.needs.has('tool choice') ? 'tool choice' : 'tools');
      if (kind === 'no-parameters' && requirements.needs.has('JSON output'))
        registry.loseNeed(model.id, 'JSON output');
      parts.onChange();
    },
  };

  const id = mintId('chatcmpl-', random);
  const head = (model: Model) => ({
    id,
    created: Math.floor(clock.now() / 1000),
    model: model.id,
    promptTokens: requirements.promptTokens,
  });
  const take = async (answer: Answer, chosen: Model, attempts: number) =>
    request.isStream
      ? streamChunks(answer, head(chosen), request.includesUsage, (error) => remember(error, attempts))
      : JSON.stringify(
          await foldAnswer(answer, head(chosen), (text) => checkedJson(text, request.responseFormat)),
        );
  const { result, model, count } = await runAttempts(plan, deps, take, signal).catch((error: unknown) => {
    if (error instanceof AttemptsFailed && error.count > 0) remember(error.error, error.count);
    throw error;
  });
  parts.memory.delete(incoming.hash);
  if (request.filters.sticky !== undefined) sticky.set(request.filters.sticky, model.id);
  parts.onChange();
  const { dropped } = buildChatBody(request, model, requirements.promptTokens, false);
  const told = [...new Set(dropped), ...(left > 0 ? [`messages=${left}`] : [])];
  return new Response(result, {
    headers: {
      'content-type': request.isStream ? 'text/event-stream; charset=utf-8' : 'application/json',
      'cache-control': 'no-store',
      'x-request-id': id,
      'x-router-model': model.id,
      'x-router-attempts': String(count),
      ...(told.length > 0 && { 'x-router-dropped': told.join(', ') }),
    },
  });
}

/** A name that is not virtual must be an exact free id. */
function checkExactName(model: string): void {
  if (model.startsWith('likeness/')) {
    throw badRequest(`${model} draws pictures; ask images.generate for it.`, 'model');
  }
  if (model.includes(':online')) throw badRequest(':online is refused: it costs money.', 'model');
  if (!isFreeId(model)) throw unknownModel(model);
}

/** 404 in OpenAI's words. */
export function unknownModel(model: string): RequestError {
  return new RequestError(
    404,
    'model_not_found',
    `The model '${model.slice(0, 200)}' is not one of the free models.`,
    {
      param: 'model',
    },
  );
}

type Unmet = (model: Model, requirements: Requirements) => ReturnType<typeof unmetNeed>;

/** The request as some model can take it: as it is, or with its oldest turns left out. Throws a RequestError where none can. */
function fit(
  asked: ChatRequest,
  virtual: VirtualModel | undefined,
  models: readonly Model[],
  unmet: Unmet,
): { readonly request: ChatRequest; readonly requirements: Requirements; readonly left: number } {
  const requirements = requirementsOf(asked, virtual);
  const needs = models.map((model) => unmet(model, requirements));
  if (needs.includes(undefined)) return { request: asked, requirements, left: 0 };
  const tooSmall = models.filter((_, i) => needs[i] === 'context');
  if (tooSmall.length === 0) throw noModel(models, needs, virtual === undefined);
  const largest = Math.max(...tooSmall.map(({ contextLength }) => contextLength));
  if (asked.filters.overflow === 'trim' && virtual?.needs !== 'long') {
    const others = requirements.promptTokens - requirementsOf({ ...asked, tools: [] }, virtual).promptTokens;
    const budget = largest - others - Math.min(trimmedAnswerTokens, asked.maxTokens ?? trimmedAnswerTokens);
    const { messages, left } = trimMessages(asked.messages, budget);
    const request = { ...asked, messages };
    const trimmed = requirementsOf(request, virtual);
    if (left > 0 && models.some((model) => unmet(model, trimmed) === undefined)) {
      return { request, requirements: trimmed, left };
    }
  }
  throw new RequestError(
    400,
    'context_length_exceeded',
    `The conversation needs about ${requirements.contextTokens} tokens; the largest model that fits it otherwise holds ${largest}.`,
    { param: 'messages' },
  );
}

function noModel(
  models: readonly Model[],
  unmet: readonly ReturnType<typeof unmetNeed>[],
  isExact: boolean,
): RequestError {
  if (models.length === 0)
    return new RequestError(503, 'no_free_model', 'There is no free model that the filters let through.');
  const names = [...new Set(unmet)].join(', ');
  if (unmet.every((need) => need === 'logprobs')) {
    return badRequest('No free model that fits the request tells logprobs.', 'logprobs');
  }
  return isExact
    ? badRequest(`The model lacks what the request needs: ${names}.`, 'model')
    : new RequestError(
        503,
        'no_free_model',
        `No free model has all that the request needs (lacking: ${names}).`,
      );
}

/** The order of a seed is the same each time; without one it is the router's own chance. */
function seededRandom(seed: number | undefined, random: () => number): () => number {
  let draws = 0;
  return seed === undefined ? random : () => counterUniform(seed, 'model-choice', draws++);
}
