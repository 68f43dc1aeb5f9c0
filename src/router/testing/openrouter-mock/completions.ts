// What OpenRouter refuses of a chat request before any model sees it, and what a model says when no script tells it.
import type { Answer, Behaviour } from './behaviour';
import { errorCases } from './error-cases';
import type { MockModel } from './fixture-models';
import type { JsonObject, RecordedRequest } from './record';
import { errorBody } from './reply';

function refuse(status: number, message: string): Behaviour {
  return { kind: 'reply', status, body: () => errorBody(status, message) };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null;
}

function partsOf(messages: readonly unknown[]): JsonObject[] {
  return messages.flatMap((message) => {
    const content = isObject(message) ? message['content'] : undefined;
    return Array.isArray(content) ? content.filter(isObject) : [];
  });
}

function isSchemaAsked({ response_format: format }: JsonObject): boolean {
  return isObject(format) && format['type'] === 'json_schema';
}

/** The refusal that the request earns whatever the script says, or undefined. `model` is undefined for an id that is in no list. */
export function refusalOf(
  { text, body, model: id }: RecordedRequest,
  model: MockModel | undefined,
): Behaviour | undefined {
  const { messages } = body;
  if (Object.keys(body).length === 0 && text !== '{}') return errorCases['E15-json'];
  if (!Array.isArray(messages) || messages.length === 0) return errorCases['E15-input'];
  if (!model) return errorCases['E14-bad-id'];
  const { supported_parameters: supported, architecture } = model;
  if (!architecture.output_modalities.includes('text')) return errorCases['E8-gone'];
  if (Array.isArray(body['models']) && body['models'].length > 3) {
    return refuse(400, "'models' array must have 3 items or fewer.");
  }
  if (Array.isArray(body['tools']) && !supported.includes('tools')) return errorCases['E11-tools'];
  if (partsOf(messages).some(({ type }) => type === 'image_url')) {
    if (!architecture.input_modalities.includes('image')) {
      return refuse(404, 'No endpoints found that support image input');
    }
  }
  const provider = isObject(body['provider']) ? body['provider'] : {};
  if (provider['data_collection'] === 'deny' || provider['zdr'] === true) return errorCases['E10-training'];
  if (
    provider['require_parameters'] === true &&
    isSchemaAsked(body) &&
    !supported.includes('structured_outputs')
  ) {
    return errorCases['E12-parameters'];
  }
  const reasoning = isObject(body['reasoning']) ? body['reasoning'] : {};
  const isOff = reasoning['enabled'] === false || reasoning['effort'] === 'none';
  if (isOff && isObject(model['reasoning']) && model['reasoning']['mandatory'] === true) {
    return refuse(400, `Reasoning is mandatory for this endpoint and cannot be disabled.`);
  }
  return id.endsWith(':batch') ? errorCases['E8-gone'] : undefined;
}

/** An answer where the script gives none. What is not free costs, so that a test sees it. */
export function defaultAnswer(model: MockModel): Answer {
  if (model.id === 'openrouter/free') return { content: 'safe', model: 'guardian/guard-content-safety:free' };
  return { content: `Hello from ${model.id} today.`, cost: model.id.endsWith(':free') ? 0 : 0.01 };
}
