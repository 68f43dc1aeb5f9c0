// What a program written for OpenAI's API does, for a page of the tests: with both majors of the client, as they come from the registry.
import OpenAI6 from 'openai-6';
import { zodResponseFormat as zodResponseFormat6 } from 'openai-6/helpers/zod';
import OpenAI7 from 'openai-7';
import { zodResponseFormat as zodResponseFormat7 } from 'openai-7/helpers/zod';
import { z } from 'zod';

const versions = {
  6: { OpenAI: OpenAI6, zodResponseFormat: zodResponseFormat6 },
  // The newer one's types are a superset; what it answers is checked by values.
  7: {
    OpenAI: OpenAI7 as unknown as typeof OpenAI6,
    zodResponseFormat: zodResponseFormat7,
  },
};

type Settings = { readonly baseURL: string; readonly apiKey: string };

const messages = [{ role: 'user' as const, content: 'Say hello.' }];

const clientOf = (version: 6 | 7, settings: Settings) =>
  new versions[version].OpenAI({ ...settings, dangerouslyAllowBrowser: true });

/** A whole answer, a stream, the `.stream()` helper, a tool call, `.parse()`, models, a picture drawn here, and embeddings. */
export async function runClient(version: 6 | 7, settings: Settings) {
  const client = clientOf(version, settings);
  const { chat, models, images, embeddings } = client;
  const whole = await chat.completions.create({ model: 'gpt-4o', messages });
  const stream = await chat.completions.create({
    model: 'free',
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  let streamed = '';
  let totalTokens: number | undefined;
  for await (const chunk of stream) {
    streamed += chunk.choices[0]?.delta.content ?? '';
    totalTokens = chunk.usage?.total_tokens ?? totalTokens;
  }
  const helper = await chat.completions.stream({ model: 'free', messages }).finalContent();
  const tool = await chat.completions.create({
    model: 'free',
    messages,
    tools: [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }],
  });
  const [call] = tool.choices[0]!.message.tool_calls ?? [];
  const schema = z.object({ name: z.string(), day: z.number() });
  const parsed = await chat.completions.parse({
    model: 'free',
    messages,
    response_format: versions[version].zodResponseFormat(schema, 'event'),
  });
  const listed = (await models.list()).data.map(({ id }) => id);
  const retrieved = (await models.retrieve('acme/plain-8b:free')).id;
  const picture = await images.generate({
    model: 'likeness/base',
    prompt: 'a red ball',
    response_format: 'b64_json',
  });
  const embedded = await embeddings.create({ model: 'embed/small-embed:free', input: ['one', 'deux'] });
  return {
    whole: whole.choices[0]!.message.content,
    streamed,
    totalTokens,
    helper,
    tool: call?.type === 'function' ? [call.function.name, call.function.arguments] : [],
    parsed: parsed.choices[0]!.message.parsed,
    listed,
    retrieved,
    picture: picture.data?.[0]?.b64_json ?? '',
    embedded: embedded.data.map(({ embedding }) => embedding.length > 0),
  };
}

/** The client's class, status and code of a request that fails, with the client's own retries. */
export async function failClient(version: 6 | 7, settings: Settings, model: string) {
  const { OpenAI } = versions[version];
  try {
    await clientOf(version, settings).chat.completions.create({
      model,
      messages: [{ role: 'user', content: model }],
    });
  } catch (error) {
    if (!(error instanceof OpenAI.APIError)) throw error;
    const kinds = ['NotFoundError', 'RateLimitError', 'InternalServerError'] as const;
    return {
      kind: kinds.find((kind) => error instanceof OpenAI[kind]),
      status: error.status as number,
      code: error.code,
    };
  }
  return undefined;
}
