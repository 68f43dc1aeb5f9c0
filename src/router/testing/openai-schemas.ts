// What a typed client of OpenAI's API (Go, Rust, C#) accepts: closed enums, every required field, and no field beside those of OpenAI's
// reference and the router's own named additions. Standing in for such clients.
import { z } from 'zod';

const finishReason = z.enum(['stop', 'length', 'tool_calls', 'content_filter', 'function_call']);
const whole = z.int().nonnegative();

const tokenLogprob = z.strictObject({
  token: z.string(),
  bytes: z.array(whole).nullable(),
  logprob: z.number(),
  top_logprobs: z.array(
    z.strictObject({ token: z.string(), bytes: z.array(whole).nullable(), logprob: z.number() }),
  ),
});
const logprobs = z
  .strictObject({ content: z.array(tokenLogprob).nullable(), refusal: z.array(tokenLogprob).nullable() })
  .nullable();

const usage = z.strictObject({
  prompt_tokens: whole,
  completion_tokens: whole,
  total_tokens: whole,
  prompt_tokens_details: z
    .strictObject({ cached_tokens: whole.optional(), audio_tokens: whole.optional() })
    .optional(),
  completion_tokens_details: z
    .strictObject({
      reasoning_tokens: whole.optional(),
      audio_tokens: whole.optional(),
      accepted_prediction_tokens: whole.optional(),
      rejected_prediction_tokens: whole.optional(),
    })
    .optional(),
});

/** Additions of the router that OpenRouter's clients know: reasoning in words, pictures. */
const additions = {
  reasoning: z.string().optional(),
  images: z
    .array(z.strictObject({ type: z.literal('image_url'), image_url: z.strictObject({ url: z.string() }) }))
    .optional(),
};

/** Where the router tells of itself. */
const aside = { router: z.record(z.string(), z.unknown()).optional() };

const head = {
  id: z.string().min(1),
  created: whole,
  model: z.string().min(1),
  service_tier: z.enum(['auto', 'default', 'flex', 'scale', 'priority']).nullish(),
  system_fingerprint: z.string().optional(),
};

export const completionSchema = z.strictObject({
  ...head,
  ...aside,
  object: z.literal('chat.completion'),
  choices: z
    .array(
      z.strictObject({
        index: whole,
        finish_reason: finishReason,
        logprobs,
        message: z.strictObject({
          ...additions,
          role: z.literal('assistant'),
          content: z.string().nullable(),
          refusal: z.string().nullable(),
          tool_calls: z
            .array(
              z.strictObject({
                id: z.string().min(1),
                type: z.literal('function'),
                function: z.strictObject({ name: z.string(), arguments: z.string() }),
              }),
            )
            .min(1)
            .optional(),
        }),
      }),
    )
    .length(1),
  usage: usage.optional(),
});

export const chunkSchema = z.strictObject({
  ...head,
  ...aside,
  object: z.literal('chat.completion.chunk'),
  choices: z
    .array(
      z.strictObject({
        index: whole,
        finish_reason: finishReason.nullable(),
        logprobs: logprobs.optional(),
        delta: z.strictObject({
          ...additions,
          role: z.literal('assistant').optional(),
          content: z.string().nullable().optional(),
          refusal: z.string().nullable().optional(),
          tool_calls: z
            .array(
              z.strictObject({
                index: whole,
                id: z.string().min(1).optional(),
                type: z.literal('function').optional(),
                function: z
                  .strictObject({ name: z.string().optional(), arguments: z.string().optional() })
                  .optional(),
              }),
            )
            .optional(),
        }),
      }),
    )
    .max(1),
  usage: usage.nullish(),
});

export const errorSchema = z.strictObject({
  error: z.strictObject({
    message: z.string().min(1),
    type: z.enum([
      'invalid_request_error',
      'authentication_error',
      'permission_error',
      'insufficient_quota',
      'rate_limit_error',
      'server_error',
    ]),
    param: z.string().nullable(),
    code: z.string().min(1),
    metadata: z.record(z.string(), z.unknown()).optional(),
  }),
});

export const modelSchema = z.strictObject({
  // What the router tells of a model.
  name: z.string().optional(),
  context_length: whole.optional(),
  capabilities: z.array(z.string()).optional(),
  parameters: z.strictObject({ total: z.number(), active: z.number() }).nullish(),
  health: z
    .strictObject({
      success: z.number(),
      first_token_ms: z.number().nullable(),
      tokens_per_second: z.number().nullable(),
      cooling_until: z.number().nullable(),
    })
    .optional(),
  estimated_wait_ms: z.number().nullish(),
  id: z.string().min(1),
  object: z.literal('model'),
  created: whole,
  owned_by: z.string().min(1),
});

export const modelListSchema = z.strictObject({ object: z.literal('list'), data: z.array(modelSchema) });

export const imagesSchema = z.strictObject({
  ...aside,
  created: whole,
  data: z
    .array(
      z.strictObject({
        ...aside,
        b64_json: z.base64().optional(),
        url: z.string().startsWith('data:image/').optional(),
        revised_prompt: z.string().optional(),
        model: z.string().optional(),
        parameters: z.string().optional(),
      }),
    )
    .min(1),
  output_format: z.enum(['png', 'jpeg', 'webp']).optional(),
  size: z.string().optional(),
  usage: z.record(z.string(), z.unknown()).optional(),
});

export const embeddingsSchema = z.strictObject({
  ...aside,
  object: z.literal('list'),
  data: z.array(
    z.strictObject({
      object: z.literal('embedding'),
      index: whole,
      embedding: z.union([z.array(z.number()).min(1), z.base64()]),
    }),
  ),
  model: z.string(),
  usage: z.strictObject({ prompt_tokens: whole, total_tokens: whole }),
});
