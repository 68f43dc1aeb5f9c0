// Reads the body of POST /chat/completions, strictly: what is not named here does not go upstream. Fields that would cost money or
// leave the free models are refused by name; hints without a counterpart are left out and told in `x-router-dropped`.
import { z } from 'zod';
import { filtersSchema, type Filters } from '../filters';
import { badRequest, type RequestError } from './errors';

const textPart = z.object({ type: z.literal('text'), text: z.string() });
const imagePart = z.object({
  type: z.literal('image_url'),
  image_url: z.object({
    url: z.string().regex(/^(?:data:image\/|https:\/\/|http:\/\/)/i, 'must be a data:image/ or http(s) URL'),
    detail: z.enum(['auto', 'low', 'high']).optional().catch(undefined),
  }),
});
const filePart = z.object({
  type: z.literal('file'),
  file: z.object({ filename: z.string().optional(), file_data: z.string() }),
});
const refusalPart = z
  .object({ type: z.literal('refusal'), refusal: z.string() })
  .transform(({ refusal }) => ({ type: 'text' as const, text: refusal }));
const texts = z.union([z.string(), z.array(textPart)]);
const name = z.string().optional().catch(undefined);

const toolCall = z.object({
  id: z.string(),
  type: z.literal('function').default('function'),
  function: z.object({ name: z.string(), arguments: z.string() }),
});

const messageSchema = z.discriminatedUnion('role', [
  z.object({ role: z.literal('system'), content: texts, name }),
  z.object({ role: z.literal('developer').transform(() => 'system' as const), content: texts, name }),
  z.object({
    role: z.literal('user'),
    content: z.union([
      z.string(),
      z.array(z.discriminatedUnion('type', [textPart, imagePart, filePart])).min(1),
    ]),
    name,
  }),
  z.object({
    role: z.literal('assistant'),
    content: z.union([z.string(), z.array(z.union([textPart, refusalPart]))]).nullish(),
    name,
    tool_calls: z.array(toolCall).nullish(),
    function_call: z.object({ name: z.string(), arguments: z.string() }).nullish(),
  }),
  z.object({ role: z.literal('tool'), content: texts, tool_call_id: z.string() }),
  z.object({ role: z.literal('function'), content: z.string().nullable(), name: z.string() }),
]);

const functionSchema = z.object({
  name: z.string(),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
});
const namedFunction = z.object({ name: z.string() });
const toolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.object({ type: z.literal('function'), function: namedFunction }),
]);

const responseFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({
    type: z.literal('json_schema'),
    json_schema: z.object({
      name: z.string(),
      description: z.string().nullish(),
      schema: z.record(z.string(), z.unknown()).optional(),
      strict: z.boolean().nullish(),
    }),
  }),
]);

const words = z.array(z.string());
const providerSchema = z.object({
  order: words.optional(),
  only: words.optional(),
  ignore: words.optional(),
  allow_fallbacks: z.boolean().optional(),
  require_parameters: z.boolean().optional(),
  data_collection: z.enum(['allow', 'deny']).optional(),
  zdr: z.boolean().optional(),
  quantizations: words.optional(),
  sort: z.enum(['price', 'throughput', 'latency']).optional(),
});

const effort = z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']);
const reasoningSchema = z.object({
  effort: effort.nullish(),
  max_tokens: z.int().positive().nullish(),
  exclude: z.boolean().optional(),
  enabled: z.boolean().optional(),
});

const number = z.number();
/** Fields that a model may lack: then they are left out, and told. */
const hintSchemas = {
  temperature: number,
  top_p: number,
  top_k: number,
  top_a: number,
  min_p: number,
  frequency_penalty: number,
  presence_penalty: number,
  repetition_penalty: number,
  logit_bias: z.record(z.string(), number),
  seed: z.int(),
  stop: z.union([z.string(), words]),
  verbosity: z.enum(['low', 'medium', 'high']),
  parallel_tool_calls: z.boolean(),
} as const;

export const hintNames = Object.keys(hintSchemas) as readonly (keyof typeof hintSchemas)[];

const tokens = z.int().positive().nullish();

const bodySchema = z.object({
  model: z.string().max(300).nullish(),
  messages: z.array(messageSchema).min(1),
  tools: z.array(z.object({ type: z.literal('function'), function: functionSchema })).nullish(),
  functions: z.array(functionSchema).nullish(),
  tool_choice: toolChoice.nullish(),
  function_call: z.union([z.enum(['none', 'auto']), namedFunction]).nullish(),
  response_format: responseFormat.nullish(),
  max_tokens: tokens,
  max_completion_tokens: tokens,
  n: z.literal(1, 'only one choice can be asked for').nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  reasoning: reasoningSchema.nullish(),
  reasoning_effort: effort.nullish(),
  include_reasoning: z.boolean().nullish(),
  modalities: z.array(z.enum(['text', 'image'])).nullish(),
  audio: z.null('audio cannot be asked for').optional(),
  image_config: z
    .object({ aspect_ratio: z.string().optional(), image_size: z.string().optional() })
    .nullish(),
  provider: providerSchema.nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  router: filtersSchema.nullish(),
  ...(Object.fromEntries(hintNames.map((hint) => [hint, hintSchemas[hint].nullish()])) as {
    [Name in keyof typeof hintSchemas]: z.ZodOptional<z.ZodNullable<(typeof hintSchemas)[Name]>>;
  }),
});

type Body = z.infer<typeof bodySchema>;

/** Fields that choose other models, other prices or other services. */
const refused = ['models', 'route', 'plugins', 'transforms', 'preset', 'web_search_options'] as const;

type ParsedMessage = Exclude<Body['messages'][number], { role: 'function' }>;
/** A message as it goes upstream. */
export type Message = ParsedMessage extends infer One
  ? One extends { role: 'assistant' }
    ? Omit<One, 'function_call'>
    : One
  : never;
export type ResponseFormat = z.infer<typeof responseFormat>;
export type Reasoning = z.infer<typeof reasoningSchema>;

export type ChatRequest = {
  readonly model: string;
  readonly messages: readonly Message[];
  readonly tools: NonNullable<Body['tools']>; // empty: none
  readonly toolChoice: z.infer<typeof toolChoice> | undefined;
  readonly responseFormat: ResponseFormat | undefined;
  readonly maxTokens: number | undefined;
  readonly hints: Readonly<Partial<Record<keyof typeof hintSchemas, unknown>>>;
  readonly logprobs: { readonly top: number | undefined } | undefined;
  readonly reasoning: Reasoning | undefined;
  readonly wantsImage: boolean;
  readonly imageConfig: Body['image_config'];
  readonly provider: z.infer<typeof providerSchema> | undefined;
  readonly isStream: boolean;
  readonly includesUsage: boolean;
  readonly filters: Filters;
  readonly dropped: readonly string[]; // names of fields that no model gets
};

/** The request of a parsed JSON body. Throws a RequestError (400) that names the field. */
export function parseChatRequest(body: unknown): ChatRequest {
  const fields = z.record(z.string(), z.unknown()).safeParse(body).data;
  if (fields === undefined) throw badRequest('The body must be a JSON object.');
  for (const field of refused) {
    if (fields[field] !== undefined && fields[field] !== null) {
      throw badRequest(`${field} is refused: it can leave the free models.`, field);
    }
  }
  if (fields['messages'] === undefined && fields['prompt'] !== undefined) {
    throw badRequest('prompt is of the old completions endpoint; send messages.', 'messages');
  }
  const parsed = bodySchema.safeParse(body);
  if (!parsed.success) throw zodRequestError(parsed.error);
  const { data } = parsed;
  const hints = Object.fromEntries(
    hintNames.flatMap((hint) => {
      const value = data[hint];
      return value === undefined || value === null ? [] : [[hint, value]];
    }),
  );
  const logprobs = data.logprobs === true || (data.top_logprobs ?? 0) > 0;
  return {
    model: data.model || 'free',
    messages: data.messages.map(toMessage),
    tools: data.tools ?? data.functions?.map((one) => ({ type: 'function' as const, function: one })) ?? [],
    toolChoice: data.tool_choice ?? toToolChoice(data.function_call),
    responseFormat: data.response_format ?? undefined,
    maxTokens: data.max_completion_tokens ?? data.max_tokens ?? undefined,
    hints,
    logprobs: logprobs ? { top: data.top_logprobs ?? undefined } : undefined,
    reasoning: toReasoning(data),
    wantsImage: data.modalities?.includes('image') === true,
    imageConfig: data.image_config ?? undefined,
    provider: data.provider ?? undefined,
    isStream: data.stream === true,
    includesUsage: data.stream_options?.include_usage === true,
    filters: data.router ?? {},
    dropped: Object.keys(fields).filter((field) => !(field in bodySchema.shape) && /^\w{1,40}$/.test(field)),
  };
}

/** A 400 that names the field of the first issue, in the way of OpenAI: `messages[1].content`. */
export function zodRequestError(error: z.ZodError): RequestError {
  const issue = error.issues[0];
  const path = (issue?.path ?? []).map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`));
  const param = path.join('').replace(/^\./, '');
  return badRequest(`${param || 'body'}: ${issue?.message ?? 'is not understood'}`, param);
}

/** Legacy function messages become tool messages; the position of the last call names both ends. */
function toMessage(message: Body['messages'][number], index: number, all: Body['messages']): Message {
  if (message.role === 'function') {
    const caller = all.slice(0, index).findLastIndex((one) => one.role === 'assistant' && one.function_call);
    return { role: 'tool', tool_call_id: legacyCallId(caller), content: message.content ?? '' };
  }
  if (message.role !== 'assistant') return message;
  const { function_call: legacy, tool_calls: calls, ...rest } = message;
  const made = legacy
    ? [{ id: legacyCallId(index), type: 'function' as const, function: legacy }]
    : (calls ?? []);
  return { ...rest, content: rest.content ?? null, ...(made.length > 0 && { tool_calls: made }) };
}

function legacyCallId(index: number): string {
  return `call_${index}`;
}

function toToolChoice(choice: Body['function_call']): ChatRequest['toolChoice'] {
  if (choice === undefined || choice === null) return undefined;
  return typeof choice === 'string' ? choice : { type: 'function', function: { name: choice.name } };
}

function toReasoning({ reasoning, reasoning_effort, include_reasoning }: Body): Reasoning | undefined {
  if (reasoning) return reasoning;
  if (reasoning_effort) return { effort: reasoning_effort };
  return include_reasoning === false ? { exclude: true } : undefined;
}
