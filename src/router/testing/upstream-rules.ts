// The rules that no request to OpenRouter may break, whatever the client asked and whatever went wrong before. Tests ask for the breaches
// of all that the mock saw.
import { defaultModels, isFreeChat, type MockModel } from './openrouter-mock/fixture-models';
import type { OpenRouterMock } from './openrouter-mock/mock';
import type { JsonObject, RecordedRequest } from './openrouter-mock/record';

const allowedFields = new Set([
  'model',
  'messages',
  'stream',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'top_k',
  'top_a',
  'min_p',
  'frequency_penalty',
  'presence_penalty',
  'repetition_penalty',
  'logit_bias',
  'logprobs',
  'top_logprobs',
  'seed',
  'stop',
  'verbosity',
  'reasoning',
  'modalities',
  'image_config',
  'provider',
  'plugins',
]);
const providerFields = new Set([
  'order',
  'only',
  'ignore',
  'allow_fallbacks',
  'require_parameters',
  'data_collection',
  'zdr',
  'quantizations',
  'sort',
  'max_price',
]);
const allowedHeaders = new Set([
  'accept',
  'authorization',
  'content-type',
  'http-referer',
  'x-openrouter-title',
  'x-openrouter-categories',
]);
const freePlugins = ['{"id":"web","enabled":false}', '{"id":"file-parser","pdf":{"engine":"cloudflare-ai"}}'];

/** The breaches of every request that the mock saw, in words; [] is well. `now` in ms. */
export function upstreamBreaches(mock: OpenRouterMock, now: number): string[] {
  const models = [...mock.models, ...defaultModels]; // one that is gone was free when it was asked
  return mock.requests.flatMap((request) => [
    ...headerBreaches(request),
    ...(request.path === '/chat/completions' ? chatBreaches(request, models, now) : []),
    ...(['/images', '/embeddings'].includes(request.path) && !request.model.endsWith(':free')
      ? [`${request.path} of '${request.model}'`]
      : []),
  ]);
}

function headerBreaches({ headers, path, redirect }: RecordedRequest): string[] {
  return [
    ...Object.keys(headers).flatMap((name) =>
      allowedHeaders.has(name) ? [] : [`header ${name} at ${path}`],
    ),
    ...(redirect === 'error' ? [] : [`redirect '${redirect}' at ${path}`]),
  ];
}

function chatBreaches({ body, model }: RecordedRequest, models: readonly MockModel[], now: number): string[] {
  const known = models.find(({ id }) => id === model);
  const breaches = known && isFreeChat(known, now) ? [] : [`the model '${model}'`];
  for (const field of Object.keys(body)) if (!allowedFields.has(field)) breaches.push(`the field ${field}`);
  const { plugins, tools, provider = {}, n, messages } = body;
  if (JSON.stringify(plugins)?.includes(freePlugins[0]!) !== true) breaches.push('web plugin not off');
  for (const plugin of (plugins ?? []) as readonly unknown[]) {
    if (!freePlugins.includes(JSON.stringify(plugin))) breaches.push(`the plugin ${JSON.stringify(plugin)}`);
  }
  for (const tool of (tools ?? []) as readonly JsonObject[]) {
    if (tool['type'] !== 'function') breaches.push(`a tool of type ${String(tool['type'])}`);
  }
  for (const field of Object.keys(provider as JsonObject)) {
    if (!providerFields.has(field)) breaches.push(`provider.${field}`);
  }
  if (n !== undefined && n !== 1) breaches.push(`n ${JSON.stringify(n)}`);
  if (JSON.stringify(messages).includes('"role":"developer"')) breaches.push('a developer message');
  return breaches;
}
