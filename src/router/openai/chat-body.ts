// The body that goes upstream, built field by field for one model: what it does not take is left out and named.
import type { Model } from '../model-record';
import { supports } from '../model-record';
import { hintNames, type ChatRequest, type Reasoning } from './chat-request';

/** Account defaults can turn paid plugins on; this turns them off. */
const noWeb = { id: 'web', enabled: false };
/** The default engine for PDF files costs money; this one does not. */
const freePdf = { id: 'file-parser', pdf: { engine: 'cloudflare-ai' } };

export type ChatBody = {
  readonly body: Readonly<Record<string, unknown>>;
  readonly dropped: readonly string[];
};

/** Tokens kept free beyond the estimate, for the estimate is one. */
const margin = 64;

/**
 * The body for `model`. `promptTokens` is the estimate of the prompt; `hasMoreRoom` asks for a longer answer and less reasoning,
 * after an answer that was all reasoning.
 */
export function buildChatBody(
  request: ChatRequest,
  model: Model,
  promptTokens: number,
  hasMoreRoom: boolean,
): ChatBody {
  const dropped: string[] = [...request.dropped];
  const body: Record<string, unknown> = { model: model.id, messages: request.messages, stream: true };
  const takes = (field: string) => model.supported.length === 0 || supports(model, field);
  const set = (field: string, value: unknown) => {
    if (takes(field)) body[field] = value;
    else dropped.push(field);
  };

  for (const hint of hintNames) if (request.hints[hint] !== undefined) set(hint, request.hints[hint]);
  if (request.tools.length > 0) {
    body['tools'] = request.tools;
    if (request.toolChoice !== undefined) set('tool_choice', request.toolChoice);
  }
  if (request.responseFormat && request.responseFormat.type !== 'text') {
    body['response_format'] = request.responseFormat;
  }
  if (request.logprobs) {
    body['logprobs'] = true;
    if (request.logprobs.top !== undefined) set('top_logprobs', request.logprobs.top);
  }
  if (request.maxTokens !== undefined) {
    const asked = hasMoreRoom ? Math.max(4 * request.maxTokens, 2048) : request.maxTokens;
    const room = Math.max(1, model.contextLength - promptTokens - margin);
    const field = takes('max_tokens') ? 'max_tokens' : 'max_completion_tokens';
    set(field, Math.min(asked, model.maxOutput ?? asked, room));
  }
  const reasoning = reasoningFor(model, hasMoreRoom ? { effort: 'low' } : request.reasoning);
  if (reasoning) set('reasoning', reasoning);
  else if (request.reasoning) dropped.push('reasoning');
  if (request.wantsImage) {
    body['modalities'] = model.outputs.includes('text') ? ['image', 'text'] : ['image'];
    if (request.imageConfig) body['image_config'] = request.imageConfig;
  }
  if (request.provider) body['provider'] = request.provider;
  const hasFile = request.messages.some(
    ({ content }) => Array.isArray(content) && content.some((part) => part.type === 'file'),
  );
  body['plugins'] = hasFile ? [noWeb, freePdf] : [noWeb];
  return { body, dropped };
}

/** The wish as far as the model can follow it: a mandatory reasoning is not turned off, an unknown effort is not asked for. */
function reasoningFor(model: Model, wish: Reasoning | undefined): Reasoning | undefined {
  if (wish === undefined) return undefined;
  if (model.supported.length > 0 && !supports(model, 'reasoning')) return undefined;
  const { effort, ...rest } = wish;
  const isOff = wish.enabled === false || effort === 'none';
  if (isOff && model.isReasoningMandatory) return wish.exclude === true ? { exclude: true } : undefined;
  const isKnown = !effort || effort === 'none' || (model.efforts?.includes(effort) ?? true);
  const kept = isKnown ? wish : rest;
  return Object.keys(kept).length > 0 ? kept : undefined;
}
