// What a request needs of a model, read from the request, and which models meet it.
import type { ChatRequest, Message } from './openai/chat-request';
import { supports, type Model } from './model-record';
import { longContext, type VirtualModel } from './virtual-models';

/** A need that a model can be found to lack although the list says otherwise (E11). */
export type Need =
  'image input' | 'image output' | 'tools' | 'tool choice' | 'JSON output' | 'logprobs' | 'context';

export type Requirements = {
  readonly needs: ReadonlySet<Need>;
  readonly promptTokens: number; // an estimate
  readonly contextTokens: number; // at least this many
};

const charactersPerToken = 3.5;
const tokensPerImage = 1500; // models count 1 to 4 thousand
const tokensPerMessage = 4;
/** Room for an answer, where the request does not say. */
const answerTokens = 256;

/** An estimate of the tokens of one message. */
export function estimateTokens(message: Message): number {
  const { content } = message;
  let characters = 0;
  let images = 0;
  if (typeof content === 'string') characters += content.length;
  else {
    for (const part of content ?? []) {
      if (part.type === 'text') characters += part.text.length;
      else if (part.type === 'image_url') images++;
      else characters += part.file.file_data.length / 20; // text is a small part of a PDF in base64
    }
  }
  if (message.role === 'assistant' && message.tool_calls) {
    characters += JSON.stringify(message.tool_calls).length;
  }
  return Math.ceil(characters / charactersPerToken) + images * tokensPerImage + tokensPerMessage;
}

/** The requirements of a request under a virtual name; `virtual` is undefined for an exact id. */
export function requirementsOf(request: ChatRequest, virtual: VirtualModel | undefined): Requirements {
  const needs = new Set<Need>();
  const { tools, toolChoice, responseFormat } = request;
  const hasImage = request.messages.some(
    ({ content }) => Array.isArray(content) && content.some((part) => part.type === 'image_url'),
  );
  if (hasImage || virtual?.needs === 'vision') needs.add('image input');
  if (request.wantsImage) needs.add('image output');
  if (tools.length > 0 || virtual?.needs === 'tools') needs.add('tools');
  if (tools.length > 0 && toolChoice !== undefined && toolChoice !== 'auto') needs.add('tool choice');
  if ((responseFormat && responseFormat.type !== 'text') || virtual?.needs === 'json')
    needs.add('JSON output');
  if (request.logprobs) needs.add('logprobs');
  const promptTokens =
    request.messages.reduce((sum, message) => sum + estimateTokens(message), 0) +
    (tools.length > 0 ? Math.ceil(JSON.stringify(tools).length / charactersPerToken) : 0);
  const room = Math.min(request.maxTokens ?? answerTokens, answerTokens); // more is clamped, not required
  const contextTokens = Math.max(promptTokens + room, virtual?.needs === 'long' ? longContext : 0);
  return { needs, promptTokens, contextTokens };
}

/** The first need that a model does not meet, or undefined. `lost` are needs that it was found to lack. */
export function unmetNeed(
  model: Model,
  { needs, contextTokens }: Requirements,
  lost: ReadonlySet<Need> = new Set(),
): Need | undefined {
  for (const need of needs) if (lost.has(need) || !meets(model, need)) return need;
  return model.contextLength >= contextTokens ? undefined : 'context';
}

function meets(model: Model, need: Need): boolean {
  switch (need) {
    case 'image input':
      return model.inputs.includes('image');
    case 'image output':
      return model.outputs.includes('image');
    case 'tools':
      return supports(model, 'tools');
    case 'tool choice':
      return supports(model, 'tool_choice');
    case 'JSON output':
      return supports(model, 'response_format') || supports(model, 'structured_outputs');
    case 'logprobs':
      return supports(model, 'logprobs');
    case 'context':
      return true;
  }
}
